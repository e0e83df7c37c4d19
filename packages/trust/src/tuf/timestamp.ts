/** Updating the timestamp role (TUF 5.4). */
import { type Digest, LIMITS, sha256, TrustError } from '@sealane/core';
import { requireFresh } from './expiry.js';
import type { TufFlow } from './flow.js';
import { parseTimestamp, type RootMetadata, type TimestampMetadata } from './metadata.js';
import type { TufRun } from './rules.js';
import { parseSignedDocument, requireThreshold } from './signed-document.js';
import { type TufState, withSigners, withTimestamp } from './state.js';

const FILE_NAME = 'timestamp.json';

/** The trusted timestamp. `expiryWaived`: it came by an imported medium, so its expiry and its snapshot's are not judged. */
export interface UpdatedTimestamp {
  readonly timestamp: TimestampMetadata;
  readonly expiryWaived: boolean;
  readonly state: TufState;
}

/** @throws TrustError `TRUST_MALFORMED` (also: absent), `TRUST_TOO_LARGE`, `TRUST_THRESHOLD`, `TRUST_ROLLBACK`, `TRUST_EXPIRED` */
export function* updateTimestamp(run: TufRun, root: RootMetadata, state: TufState): TufFlow<UpdatedTimestamp> {
  // TUF 5.4.1
  const bytes = yield { ask: 'fetch', name: `metadata/${FILE_NAME}`, maxBytes: LIMITS.timestampBytes };
  if (bytes === undefined)
    throw new TrustError('TRUST_MALFORMED', `load ${FILE_NAME}: expected the file, got nothing`, { fileName: FILE_NAME });
  const served = verifyTimestamp(run, root, bytes);
  requireNoRollback(served.timestamp, state);
  // TUF 5.4.3.1: of an equal version the trusted copy stays; where none was kept, the one served is as good: the floors below hold for it
  const kept =
    served.timestamp.version === state.versions.timestamp
      ? verifyKept(run, root, state, yield { ask: 'cached', role: 'timestamp' })
      : undefined;
  const trusted = kept ?? { ...served, bytes };
  const digest = sha256(trusted.bytes);
  const expiryWaived = isExpiryWaived(run, state, digest);
  // TUF 5.4.4
  if (!expiryWaived) requireFresh(FILE_NAME, trusted.timestamp.expiresMs, run);
  const { version, snapshot } = trusted.timestamp;
  const taken = withTimestamp(state, version, snapshot.version, digest, run);
  const next = withSigners(taken, 'timestamp', version, trusted.signedBy, run.rules);
  if (kept === undefined) yield { ask: 'keep', role: 'timestamp', bytes, state: next };
  return { timestamp: trusted.timestamp, expiryWaived, state: next };
}

/** DESIGN "Time": a stick may be three weeks on the road; the stage metadata's expiry judges it, version floors still holding. Or people lifted it. */
function isExpiryWaived(run: TufRun, state: TufState, digest: Digest): boolean {
  return run.expiry !== 'network' || state.importedTimestamps.includes(digest);
}

interface Verified {
  readonly timestamp: TimestampMetadata;
  readonly signedBy: readonly string[];
}

function verifyTimestamp(run: TufRun, root: RootMetadata, bytes: Uint8Array): Verified {
  const document = parseSignedDocument(FILE_NAME, bytes, LIMITS.timestampBytes);
  // TUF 5.4.2
  const signedBy = requireThreshold(FILE_NAME, document, root.roles.timestamp);
  return { timestamp: parseTimestamp(FILE_NAME, document, run.rules), signedBy };
}

function requireNoRollback(timestamp: TimestampMetadata, state: TufState): void {
  // TUF 5.4.3.1: the timestamp itself; 5.4.3.2: the snapshot that it lists
  const pairs = [
    ['timestamp', timestamp.version, state.versions.timestamp],
    ['snapshot listed there', timestamp.snapshot.version, state.versions.snapshot],
  ] as const;
  for (const [what, got, floor] of pairs) {
    if (got < floor) {
      throw new TrustError('TRUST_ROLLBACK', `check ${FILE_NAME}: expected ${what} at version ${floor} or above, got ${got}`, {
        fileName: FILE_NAME,
        floor,
        got,
      });
    }
  }
}

function verifyKept(
  run: TufRun,
  root: RootMetadata,
  state: TufState,
  bytes: Uint8Array | undefined,
): (Verified & { readonly bytes: Uint8Array }) | undefined {
  if (bytes === undefined) return undefined;
  try {
    const kept = verifyTimestamp(run, root, bytes);
    requireNoRollback(kept.timestamp, state);
    return { ...kept, bytes };
  } catch (error) {
    // a damaged copy, or one signed by replaced keys, is not the trusted one any more
    if (error instanceof TrustError) return undefined;
    throw error;
  }
}
