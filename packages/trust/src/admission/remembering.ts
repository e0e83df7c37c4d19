/**
 * Admission that remembers its last answer, for a daemon that asks every minute and is told nearly always that nothing is new.
 *
 * The answer is given again while every byte that it was made of is the same: those of the lane by their hash, all else by its text. Time is judged each time. It is kept in memory
 * alone, as a file would have to be believed; names, sizes, times and what `fetch` says count for nothing.
 */
import { type Digest, sha256, TrustError } from '@sealane/core';
import { admit } from '../admit.js';
import { readRecordFile } from '../evidence/record-file.js';
import type { Admission, AdmitInput, LaneView } from './types.js';

/** A file of the lane that was read: its hash, or that it was not there. */
interface SeenFile {
  readonly maxBytes: number;
  readonly digest: Digest | undefined;
}

interface Answered {
  readonly input: AdmitInput;
  /** All of the input but the lane, the inventory and time. */
  readonly facts: string;
  readonly files: ReadonlyMap<string, SeenFile>;
  readonly admission: Admission;
}

/** Admission with a memory of one answer. */
export type Admit = (input: AdmitInput) => Admission;

/** Starts to remember. */
export function rememberingAdmit(): Admit {
  let last: Answered | undefined;
  return (input) => {
    const facts = factsOf(input);
    const same = last?.facts === facts && last.files.size > 0 && isUnchanged(last.files, input) ? last : undefined;
    const again = same === undefined ? undefined : answerAgain(same.admission, same.input, input);
    if (again !== undefined) return again;
    const files = new Map<string, SeenFile>();
    const looks = { atHardware: 0 };
    const site = watched(input.site, () => (looks.atHardware += 1));
    const admission = admit({ ...input, lane: noting(input.lane, files), site });
    last = looks.atHardware === 0 && isLasting(admission, input) ? { input, facts, files, admission } : undefined;
    return admission;
  };
}

/** Everything is plain JSON, made in the same order each time; the record is bytes. */
function factsOf({ lane: _lane, now: _now, siteState, site, ...rest }: AdmitInput): string {
  const { timeFloor: _ticks, ...memory } = siteState;
  const { hbom: _hbom, record, ...about } = site;
  return JSON.stringify({ ...rest, memory, site: { ...about, record: sha256(record) } });
}

/** The inventory says how much memory is free, and is never the same twice: an answer for which it was looked at is not remembered. */
function watched(site: AdmitInput['site'], looked: () => void): AdmitInput['site'] {
  const { hbom, ...rest } = site;
  return {
    ...rest,
    get hbom() {
      looked();
      return hbom;
    },
  };
}

function noting(lane: LaneView, files: Map<string, SeenFile>): LaneView {
  return {
    read: (path, maxBytes) => {
      const bytes = lane.read(path, maxBytes);
      files.set(path, { maxBytes, digest: bytes === undefined ? undefined : sha256(bytes) });
      return bytes;
    },
  };
}

function isUnchanged(files: ReadonlyMap<string, SeenFile>, { lane }: AdmitInput): boolean {
  try {
    for (const [path, { maxBytes, digest }] of files) {
      const bytes = lane.read(path, maxBytes);
      if ((bytes === undefined ? undefined : sha256(bytes)) !== digest) return false;
    }
    return true;
  } catch (error) {
    // larger than it may be: admission says so
    if (error instanceof TrustError) return false;
    throw error;
  }
}

/**
 * Whether nothing but expiry of metadata can change this answer to this input as time goes on: `expiresAt` is the earliest of those that were judged. A freeze, an exception
 * and a delegation end by themselves too.
 */
function isLasting(admission: Admission, { site }: AdmitInput): boolean {
  const { outcome, reason, exception, expiresAt } = admission;
  const leavesAll = outcome === 'unchanged' && reason === null && exception === null && expiresAt !== null;
  return leavesAll && readRecordFile(site.record).delegation === null;
}

/** A lasting answer as `admit` would give it to `input`, which differs from the one `before` in time alone; undefined where it is to be judged anew. */
function answerAgain(admission: Admission, before: AdmitInput, input: AdmitInput): Admission | undefined {
  const { now } = input;
  if (admission.expiresAt === null || now < before.now || now >= admission.expiresAt) return undefined;
  const { timeFloor } = input.siteState;
  const { next } = admission;
  const isLater = timeFloor !== null && (next.timeFloor === null || timeFloor > next.timeFloor);
  return {
    ...admission,
    checks: admission.checks.map((check) =>
      check.id === 'trust' ? { ...check, expected: check.expected.replace(` valid at ${before.now}`, ` valid at ${now}`) } : check,
    ),
    next: isLater ? { ...next, timeFloor } : next,
  };
}
