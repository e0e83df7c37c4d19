/**
 * What a TUF client must never forget: the trusted root and the lowest version of each role that it may still accept.
 *
 * Plain JSON, kept outside any cache of metadata: wiping the cache must not let an old repository in again.
 */
import { base64, type Digest, fromBase64, SealaneError, TrustError } from '@sealane/core';
import type { RootMetadata, SnapshotMetadata } from './metadata.js';
import type { TopRole, TufRules, TufRun } from './rules.js';
import type { Authority } from './signed-document.js';

/** Version floors: 0 = never seen. `roles` holds every role, other than targets, that a trusted snapshot listed. */
export interface TufVersions {
  readonly root: number;
  readonly timestamp: number;
  readonly snapshot: number;
  readonly targets: number;
  readonly roles: Readonly<Record<string, number>>;
}

/**
 * `root` is the newest trusted root in base64. `importedTimestamps` are the digests of timestamps that came by a medium the operator imported:
 * their expiry, and their snapshot's, is waived (DESIGN "Time").
 */
export interface TufState {
  readonly root: string;
  readonly versions: TufVersions;
  readonly importedTimestamps: readonly Digest[];
}

/** One timestamp version can be signed anew with other bytes; more than a few of them were never imported by hand. */
const MAX_IMPORTED_TIMESTAMPS = 8;

/** A state that trusts `root` and has seen nothing else. */
export function freshState(root: Uint8Array, version: number): TufState {
  return { root: base64(root), versions: { root: version, timestamp: 0, snapshot: 0, targets: 0, roles: {} }, importedTimestamps: [] };
}

/**
 * The bytes of the trusted root.
 *
 * @throws TrustError `TRUST_MALFORMED`
 */
export function trustedRootBytes(state: TufState): Uint8Array {
  try {
    return fromBase64(state.root);
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new TrustError('TRUST_MALFORMED', 'load the trusted root: expected base64 in the trust state', {}, { cause });
  }
}

/**
 * The state after root `after` became trusted in place of `before` (TUF 5.3.7, 5.3.8, 5.3.11).
 *
 * Fast-forward recovery: where a role's keys were replaced, its floor falls, since whoever stole the old key may have driven it up to 2^53 - 1. Under
 * `lane` rules only that role's floor falls (with the snapshot's go those it lists); under `plain` rules both files are forgotten, to the letter.
 */
export function withRoot(state: TufState, before: RootMetadata, after: RootMetadata, bytes: Uint8Array, rules: TufRules): TufState {
  const replaced = (role: TopRole): boolean => wereKeysReplaced(before.roles[role], after.roles[role]);
  const either = replaced('timestamp') || replaced('snapshot');
  const dropsTimestamp = rules === 'lane' ? replaced('timestamp') : either;
  const dropsSnapshot = rules === 'lane' ? replaced('snapshot') : either;
  const { versions } = state;
  return {
    root: base64(bytes),
    versions: {
      root: after.version,
      timestamp: dropsTimestamp ? 0 : versions.timestamp,
      snapshot: dropsSnapshot ? 0 : versions.snapshot,
      targets: dropsSnapshot || (rules === 'lane' && replaced('targets')) ? 0 : versions.targets,
      roles: dropsSnapshot ? {} : versions.roles,
    },
    importedTimestamps: dropsTimestamp ? [] : state.importedTimestamps,
  };
}

/**
 * Whether so few of the old keys remain that nothing signed by them alone could pass under the new root. Adding a key, or dropping one of several
 * that still suffice, drops no floor: older metadata would verify again.
 */
function wereKeysReplaced(before: Authority, after: Authority): boolean {
  const publicKeys = (authority: Authority): ReadonlySet<string> =>
    new Set(authority.keyIds.flatMap((keyId) => authority.keys.get(keyId)?.spkiId ?? []));
  const kept = [...publicKeys(before)].filter((key) => publicKeys(after).has(key));
  return kept.length < after.threshold;
}

/** The state after a timestamp of `version` that lists snapshot `snapshotVersion` became trusted (TUF 5.4.5). */
export function withTimestamp(state: TufState, version: number, snapshotVersion: number, digest: Digest, run: TufRun): TufState {
  // an older version's digests are of no more use: its floor refuses it
  const known = version > state.versions.timestamp ? [] : state.importedTimestamps;
  const imported = run.expiry === 'medium' ? [...known.filter((other) => other !== digest), digest].slice(-MAX_IMPORTED_TIMESTAMPS) : known;
  return { ...state, versions: { ...state.versions, timestamp: version, snapshot: snapshotVersion }, importedTimestamps: imported };
}

/** The state after a snapshot became trusted (TUF 5.5.7): the floors are the versions that it lists. */
export function withSnapshot(state: TufState, snapshot: SnapshotMetadata): TufState {
  const others = [...snapshot.roles].filter(([name]) => name !== 'targets');
  const roles = Object.fromEntries(others.map(([name, file]) => [name, file.version]));
  return {
    ...state,
    versions: { ...state.versions, snapshot: snapshot.version, targets: snapshot.roles.get('targets')?.version ?? 0, roles },
  };
}

/** The error with the state that must be kept in spite of it: roots that were already proven stay trusted (TUF 5.3.8). */
export function refusalKeeping(error: unknown, state: TufState): unknown {
  if (!(error instanceof TrustError)) return error;
  return new TrustError(error.code, error.message, { ...error.data, state }, { cause: error });
}
