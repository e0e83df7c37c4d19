/** `trust.json`: what this site has verified and must never forget, whatever happens to the mirror. */
import { canonicalJson, equalBytes, type JsonObject, SiteError } from '@sealane/core';
import { type AdmissionNext, NEW_SITE_MEMORY, type TufState } from '@sealane/trust';
import type { Clock } from '../clock.js';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { plainJson } from '../plain-json.js';
import { readSealed, sealed } from '../sealed-file.js';
import { momentOf, NO_FLOOR, raisedFloor, secondsSince, tickedFloor, type TimeFloor } from './trusted-time.js';

/** What is kept of admissions, the time floor with its moment, and until when trust as last verified allows new installs. */
export type TrustFile = Omit<AdmissionNext, 'trust' | 'timeFloor'> & {
  readonly kind: 'TrustFile';
  readonly tuf: TufState;
  readonly time: TimeFloor;
  readonly expiresAt: string | null;
};

/** DESIGN "Time": the ticking floor is saved this often; a power cut loses no more of it. */
const SAVE_TICKS_SECONDS = 600;

/** Where no root's expiry is known there is no limit to hold the floor to. */
const NO_LIMIT = '9999-12-31T23:59:59Z';

/** The trust of a site that has seen nothing but its root. */
export function firstTrust(tuf: TufState, clock: Clock): TrustFile {
  const { floor, revoked, seenCheckpoint } = NEW_SITE_MEMORY;
  return {
    kind: 'TrustFile',
    tuf,
    floor,
    revoked,
    seenCheckpoint,
    bars: null,
    time: { ...NO_FLOOR, moment: momentOf(clock) },
    expiresAt: null,
  };
}

/** The trust after an admission. A refusal that taught nothing leaves it as it was, but for a floor that has ticked long enough. */
export function trustAfter(
  before: TrustFile,
  admission: { readonly next: AdmissionNext; readonly expiresAt: string | null; readonly rootExpiresAt: string | null },
  clock: Clock,
): TrustFile {
  const { trust: tuf, timeFloor, ...next } = admission.next;
  const raised = raisedFloor(before.time, timeFloor ?? before.time.time, admission.rootExpiresAt ?? NO_LIMIT, clock);
  // what has only ticked since is known again from what is there: a poll that finds nothing new writes nothing
  const isDue = timeFloor !== null && timeFloor > tickedFloor(before.time, clock).time;
  const time = isDue || secondsSince(before.time.moment, clock) >= SAVE_TICKS_SECONDS ? raised : before.time;
  // a lane that is refused has verified nothing: what barred going back by hand bars it still
  const bars = next.bars ?? before.bars;
  return { kind: 'TrustFile', ...next, bars, tuf, time, expiresAt: admission.expiresAt ?? before.expiresAt };
}

/**
 * Reads `trust.json`.
 *
 * @throws SiteError `NOT_ENROLLED` there is none; `STATE_CORRUPT`
 */
export function readTrustFile(disk: Disk, file: string): TrustFile {
  const body = readSealed(disk, file);
  if (body === undefined)
    throw new SiteError(
      'NOT_ENROLLED',
      `read ${file}: expected the trust of an enrolled site, got nothing`,
      { path: file },
      { hint: 'take in the record that the registrar gave for its request: sealane-site enroll --record RECORD --root ROOT' },
    );
  if (isTrustFile(body)) return body as unknown as TrustFile;
  throw new SiteError('STATE_CORRUPT', `read ${file}: expected trust state of this program`, { path: file });
}

/** Writes `trust.json` durably; what is there already is not written again. */
export function writeTrustFile(disk: Disk, file: string, trust: TrustFile): void {
  const body = plainJson(trust);
  const there = disk.kind(file) === 'nothing' ? undefined : readSealed(disk, file);
  if (there !== undefined && equalBytes(canonicalJson(there), canonicalJson(body))) return;
  durableWrite(disk, file, sealed(body));
}

/** The checksum says that this program wrote it; the kind says what. */
function isTrustFile(body: JsonObject): boolean {
  return body['kind'] === 'TrustFile';
}
