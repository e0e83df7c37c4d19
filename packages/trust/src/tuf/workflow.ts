/** The detailed client workflow (TUF 5) from the trusted root to a verified target: the steps in their order. */
import { TrustError } from '@sealane/core';
import { earliestExpiry } from './expiry.js';
import { requireListedBytes } from './file-hash.js';
import { targetFileName } from './file-names.js';
import type { TufFlow } from './flow.js';
import type { RootMetadata, SnapshotMetadata, TargetEntry, TargetsMetadata, TimestampMetadata } from './metadata.js';
import { updateRoot } from './root-chain.js';
import type { TufRun } from './rules.js';
import { updateSnapshot } from './snapshot.js';
import { refusalKeeping, type TufState } from './state.js';
import { findTarget, updateTargets } from './targets.js';
import { updateTimestamp } from './timestamp.js';

/**
 * The outcome of a refresh. `state` is what to persist when all that follows holds too; `keptOnRefusal` is what to persist when something below is
 * refused: the state before, with the roots proven on the way. `expiresAt` is the earliest expiry that was judged (RFC 3339).
 */
export interface TrustedMetadata {
  readonly state: TufState;
  readonly keptOnRefusal: TufState;
  readonly root: RootMetadata;
  readonly timestamp: TimestampMetadata;
  readonly snapshot: SnapshotMetadata;
  readonly targets: TargetsMetadata;
  readonly expiresAt: string;
  /** The timestamp came by an imported medium: its expiry and the snapshot's were not judged. */
  readonly expiryWaived: boolean;
  /** What stayed fixed while it ran; a target is read under the same clock and rules. */
  readonly run: TufRun;
}

/** A target that some role with authority over its path lists; its bytes are not read yet. */
export interface LocatedTarget {
  readonly path: string;
  readonly role: string;
  /** Of the role's metadata. */
  readonly version: number;
  /** The earlier of the refresh's expiry and the role's own. */
  readonly expiresAt: string;
  /** The role's own. */
  readonly roleExpiresAt: string;
  readonly entry: TargetEntry;
}

/** A verified target. */
export interface TrustedTarget extends LocatedTarget {
  readonly bytes: Uint8Array;
}

/** TUF 5.1 to 5.6.6. On refusal the TrustError carries `data.state`, as `keptOnRefusal`. */
export function* refreshFlow(run: TufRun, start: TufState): TufFlow<TrustedMetadata> {
  const { root, state: keptOnRefusal } = yield* updateRoot(run, start);
  try {
    const updated = yield* updateTimestamp(run, root, keptOnRefusal);
    const { snapshot, state: listed } = yield* updateSnapshot(run, root, updated);
    const { targets, state } = yield* updateTargets(run, { root, snapshot, state: listed });
    const { timestamp, expiryWaived } = updated;
    const judged = [root.expiresMs, targets.expiresMs, ...(expiryWaived ? [] : [timestamp.expiresMs, snapshot.expiresMs])];
    return { state, keptOnRefusal, root, timestamp, snapshot, targets, expiresAt: earliestExpiry(judged), expiryWaived, run };
  } catch (error) {
    throw refusalKeeping(error, keptOnRefusal);
  }
}

/**
 * TUF 5.6.7: finds the role that speaks for `path`. With `role`, another role's word is refused.
 *
 * @throws TrustError `TRUST_WRONG_ROLE` nobody with authority over the path lists it, or not `role`; and the codes of the roles on the way
 */
export function* locateFlow(trusted: TrustedMetadata, path: string, role?: string): TufFlow<LocatedTarget> {
  try {
    const found = yield* findTarget(trusted.run, trusted, trusted.targets, path);
    if (found === undefined || (role !== undefined && found.role !== role)) {
      // TUF 5.7.2: no metadata about this target
      const by = found === undefined ? 'nobody' : found.role;
      throw new TrustError(
        'TRUST_WRONG_ROLE',
        `find target ${path}: expected it to be listed by ${role ?? 'a role with authority over it'}, got ${by}`,
        { path },
      );
    }
    const { metadata, entry } = found;
    const roleExpiresAt = earliestExpiry([metadata.expiresMs]);
    // one width of text, so text order is time order
    const expiresAt = roleExpiresAt < trusted.expiresAt ? roleExpiresAt : trusted.expiresAt;
    return { path, role: found.role, version: metadata.version, expiresAt, roleExpiresAt, entry };
  } catch (error) {
    throw refusalKeeping(error, trusted.keptOnRefusal);
  }
}

/**
 * TUF 5.7.3: reads a located target and checks its length and hashes.
 *
 * @throws TrustError `TRUST_TOO_LARGE` listed longer than `maxBytes`; `TRUST_MISMATCH` absent, or other bytes than listed
 */
export function* targetFlow(trusted: TrustedMetadata, located: LocatedTarget, maxBytes: number): TufFlow<TrustedTarget> {
  const { path, entry } = located;
  try {
    if (entry.lengthBytes > maxBytes) {
      throw new TrustError('TRUST_TOO_LARGE', `read target ${path}: expected at most ${maxBytes} bytes, got ${entry.lengthBytes} listed`, {
        path,
      });
    }
    const fileName = trusted.root.consistentSnapshot ? targetFileName(path, entry.hashes) : path;
    const bytes = yield { ask: 'fetch', name: `targets/${fileName}`, maxBytes: entry.lengthBytes };
    if (bytes === undefined)
      throw new TrustError('TRUST_MISMATCH', `read target ${path}: expected the file that ${located.role} lists, got nothing`, { path });
    requireListedBytes(`target ${path}`, bytes, entry);
    return { ...located, bytes };
  } catch (error) {
    throw refusalKeeping(error, trusted.keptOnRefusal);
  }
}
