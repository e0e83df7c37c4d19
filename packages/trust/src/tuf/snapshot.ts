/** Updating the snapshot role (TUF 5.5). */
import { LIMITS, TrustError } from '@sealane/core';
import { requireFresh } from './expiry.js';
import type { TufFlow } from './flow.js';
import { loadListedRole } from './listed-role.js';
import { parseSnapshot, type RootMetadata, type SnapshotMetadata } from './metadata.js';
import type { TufRun } from './rules.js';
import { type TufState, withSigners, withSnapshot } from './state.js';
import type { UpdatedTimestamp } from './timestamp.js';

/** @throws TrustError `TRUST_MISMATCH`, `TRUST_TOO_LARGE`, `TRUST_THRESHOLD`, `TRUST_MALFORMED`, `TRUST_ROLLBACK`, `TRUST_EXPIRED` */
export function* updateSnapshot(
  run: TufRun,
  root: RootMetadata,
  updated: UpdatedTimestamp,
): TufFlow<{ readonly snapshot: SnapshotMetadata; readonly state: TufState }> {
  const { timestamp, expiryWaived, state } = updated;
  const loaded = yield* loadListedRole(run, {
    role: 'snapshot',
    listed: timestamp.snapshot,
    authority: root.roles.snapshot,
    consistentSnapshot: root.consistentSnapshot,
    maxBytes: LIMITS.snapshotBytes,
    parse: parseSnapshot,
    check: (fileName, snapshot) => {
      requireNoRollback(fileName, snapshot, state);
      // TUF 5.5.6
      if (!expiryWaived) requireFresh(fileName, snapshot.expiresMs, run);
    },
  });
  const next = withSigners(withSnapshot(state, loaded.metadata), 'snapshot', loaded.metadata.version, loaded.signedBy, run.rules);
  if (!loaded.kept) yield { ask: 'keep', role: 'snapshot', bytes: loaded.bytes, state: next };
  return { snapshot: loaded.metadata, state: next };
}

/** TUF 5.5.5: no listed role may go back or vanish. */
function requireNoRollback(fileName: string, snapshot: SnapshotMetadata, state: TufState): void {
  const floors = Object.entries({ ...state.versions.roles, targets: state.versions.targets });
  for (const [role, floor] of floors) {
    const got = snapshot.roles.get(role)?.version ?? 0;
    if (got < floor) {
      const found = got === 0 ? 'nothing' : `version ${got}`;
      throw new TrustError('TRUST_ROLLBACK', `check ${fileName}: expected ${role}.json at version ${floor} or above, got ${found}`, {
        fileName,
        role,
        floor,
        got,
      });
    }
  }
}
