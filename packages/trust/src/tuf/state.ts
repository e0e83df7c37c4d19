/**
 * What a TUF client must never forget: the trusted root and the lowest version of each role that it may still accept.
 *
 * Plain JSON, kept outside any cache of metadata: wiping the cache must not let an old repository in again.
 */
import { base64, type Digest, fromBase64, SealaneError, TrustError } from '@sealane/core';
import type { RootMetadata, SnapshotMetadata } from './metadata.js';
import type { TufRules, TufRun } from './rules.js';
import type { Authority } from './signed-document.js';
import { type FlooredRole, NO_SIGNED_FLOORS, publicKeysOf, type SignedFloors, standingFloor, withSignedFloor } from './signed-floors.js';

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
 * their expiry, and their snapshot's, is waived (DESIGN "Time"). `signed`: under `lane` rules, what the floors rest on; states of before have none.
 */
export interface TufState {
  readonly root: string;
  readonly versions: TufVersions;
  readonly importedTimestamps: readonly Digest[];
  readonly signed?: SignedFloors;
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
 * `lane` rules each role's floor falls to the highest that its keys of now could have signed; that of targets does not fall with the snapshot's key, or who
 * has the new one could bring back an older policy. Under `plain` rules both files are forgotten, to the letter.
 */
export function withRoot(state: TufState, before: RootMetadata, after: RootMetadata, bytes: Uint8Array, rules: TufRules): TufState {
  const { versions } = state;
  const floors = rules === 'lane' ? laneFloors(state, before, after) : plainFloors(state, before, after);
  return {
    ...state,
    root: base64(bytes),
    versions: { root: after.version, ...floors },
    // they are of the timestamp that set the floor
    importedTimestamps: floors.timestamp === versions.timestamp ? state.importedTimestamps : [],
  };
}

type Floors = Omit<TufVersions, 'root'>;

function plainFloors({ versions }: TufState, before: RootMetadata, after: RootMetadata): Floors {
  const isEither = (['timestamp', 'snapshot'] as const).some((role) => wereKeysReplaced(before.roles[role], after.roles[role]));
  return isEither ? { timestamp: 0, snapshot: 0, targets: 0, roles: {} } : versions;
}

function laneFloors({ versions, signed }: TufState, before: RootMetadata, after: RootMetadata): Floors {
  const floor = (role: FlooredRole): number => {
    if (isSameAuthority(before.roles[role], after.roles[role])) return versions[role];
    if (signed !== undefined) return standingFloor(signed[role], after.roles[role]);
    return wereKeysReplaced(before.roles[role], after.roles[role]) ? 0 : versions[role];
  };
  // the stages' versions were read out of snapshots, those of other stages than one's own in no other place
  const roles = wereKeysReplaced(before.roles.snapshot, after.roles.snapshot) ? {} : versions.roles;
  return { timestamp: floor('timestamp'), snapshot: floor('snapshot'), targets: floor('targets'), roles };
}

function isSameAuthority(before: Authority, after: Authority): boolean {
  const [old, now] = [publicKeysOf(before), publicKeysOf(after)];
  return before.threshold === after.threshold && old.size === now.size && [...old].every((key) => now.has(key));
}

/**
 * Whether so few of the old keys remain that nothing signed by them alone could pass under the new root. Adding a key, or dropping one of several
 * that still suffice, drops no floor: older metadata would verify again.
 */
function wereKeysReplaced(before: Authority, after: Authority): boolean {
  const now = publicKeysOf(after);
  return [...publicKeysOf(before)].filter((key) => now.has(key)).length < after.threshold;
}

/** The state with the signers of a file that became trusted; `plain` rules ask for none. */
export function withSigners(state: TufState, role: FlooredRole, version: number, signedBy: readonly string[], rules: TufRules): TufState {
  if (rules === 'plain') return state;
  const signed = state.signed ?? NO_SIGNED_FLOORS;
  return { ...state, signed: { ...signed, [role]: withSignedFloor(signed[role], { version, signedBy }) } };
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
