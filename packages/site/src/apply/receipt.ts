/**
 * Receipts: what this site did, signed by its key, chained, on disk before anybody is told that it happened.
 *
 * A signature differs each time it is made, so a receipt that was written and not yet journalled is taken as it is, not made again.
 */
import {
  base64,
  canonicalJson,
  type Check,
  clipped,
  type Digest,
  type JsonObject,
  LIMITS,
  parseCheckpoint,
  SealaneError,
  signStatement,
  type Signer,
  SiteError,
  statementDigestOf,
} from '@sealane/core';
import {
  encodeBundle,
  type MeasuredLink,
  parseBundle,
  type ParsedBundle,
  readReceipt,
  type ReceiptPredicate,
  receiptStatement,
  type SiteVariables,
} from '@sealane/trust';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { receiptFile } from '../state-folder.js';
import type { OwedReceipt } from './state.js';

/** Checks in one receipt, and characters in one of their texts: both bounds of the format. */
const MAX_CHECKS = 128;
const MAX_TEXT = 2000;

/** Everything a receipt says beside what is owed. `seenCheckpoint` is a signed note; `salt` 32 hex digits. */
export interface ReceiptFacts {
  readonly site: string;
  readonly seq: number;
  readonly prev: Digest | null;
  readonly hardware: JsonObject;
  /** What site.yaml sets. */
  readonly variables: SiteVariables;
  readonly seenCheckpoint: string | null;
  readonly salt: string;
  /** What `fetch` measured while it brought the release, if anything. */
  readonly link?: readonly MeasuredLink[] | undefined;
}

/** The receipt's predicate. */
function receiptPredicate(owed: OwedReceipt, facts: ReceiptFacts, keyId: string): ReceiptPredicate {
  const { site, seq, prev, hardware, salt } = facts;
  const { event, release, waybill, previous, reason, at } = owed;
  const failed = owed.checks.filter(({ verdict }) => verdict !== 'pass').slice(0, MAX_CHECKS);
  return {
    site,
    keyId,
    seq,
    prev,
    event,
    release,
    waybill,
    previous,
    reason,
    checks: failed.map(shortened),
    at,
    hardware,
    ...(Object.keys(facts.variables).length === 0 ? {} : { variables: facts.variables }),
    ...(owed.rendered === undefined ? {} : { rendered: owed.rendered }),
    ...(owed.secrets === undefined ? {} : { secrets: owed.secrets }),
    ...(owed.seconds === undefined ? {} : { seconds: owed.seconds }),
    ...(owed.exceptions === undefined ? {} : { exceptions: owed.exceptions }),
    ...(owed.role === undefined ? {} : { role: owed.role }),
    ...(owed.summary === undefined ? {} : { summary: owed.summary }),
    ...(facts.link === undefined ? {} : { link: facts.link }),
    checkpoint: checkpointOf(facts.seenCheckpoint),
    salt,
  };
}

/**
 * Queues a receipt durably and returns its statement digest. One of the same number that is there already is kept, if it is that receipt.
 *
 * @throws SiteError `STATE_CORRUPT` another receipt has its number
 */
export async function queueReceipt(disk: Disk, folder: string, owed: OwedReceipt, facts: ReceiptFacts, signer: Signer): Promise<Digest> {
  const file = receiptFile(folder, facts.seq);
  const there = disk.read(file, LIMITS.bundleBytes);
  if (there !== undefined) return sameReceipt(there, file, owed, facts);
  const signed = await signStatement(receiptStatement(receiptPredicate(owed, facts, signer.keyId)), signer);
  disk.makeFolder(folder, 0o750);
  durableWrite(disk, file, canonicalJson(encodeBundle(signed)), 0o640);
  return statementDigestOf(signed.envelope);
}

function sameReceipt(bytes: Uint8Array, file: string, owed: OwedReceipt, facts: ReceiptFacts): Digest {
  const bundle = parsed(bytes, file);
  const { seq, prev, event, release, at } = readReceipt(bundle.statement);
  if (seq === facts.seq && prev === facts.prev && event === owed.event && release === owed.release && at === owed.at)
    return bundle.statementDigest;
  throw new SiteError('STATE_CORRUPT', `queue receipt ${facts.seq}: expected no other one in ${file}`, { path: file });
}

function parsed(bytes: Uint8Array, file: string): ParsedBundle {
  try {
    return parseBundle(bytes);
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new SiteError('STATE_CORRUPT', `read ${file}: expected a receipt`, { path: file }, { cause });
  }
}

function shortened(check: Check): Check {
  const short = (text: string): string => clipped(text, MAX_TEXT);
  return { ...check, expected: short(check.expected), actual: short(check.actual), remedy: short(check.remedy) };
}

function checkpointOf(note: string | null): ReceiptPredicate['checkpoint'] {
  if (note === null) return null;
  const { origin, size, root } = parseCheckpoint(note);
  return { origin, size, root: base64(root) };
}
