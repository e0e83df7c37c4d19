/**
 * Builds the unsigned metadata of a lane's TUF repository (TUF 4.3 to 4.6, 6.3). Pure: what goes in is on disk or in hand, what comes out is signed
 * (`signing.ts`) and written by others, in the order targets, stages, snapshot, timestamp.
 */
import { createHash } from 'node:crypto';
import { canonicalJson, type JsonObject, TrustError } from '@sealane/core';
import { isTime, secondsToTime, timeToSeconds } from '../time.js';
import { targetFileName } from './file-names.js';
import { type ListedRole, readListedRoles } from './published-role.js';
import { TOP_ROLES, type TopRole, TUF_SPEC_VERSION } from './rules.js';
import { tufKeyOfSpki } from './tuf-key.js';

/** Who signs a role: P-256 public keys as SPKI DER, and how many of them must. */
export interface RoleKeys {
  readonly keys: readonly Uint8Array[];
  readonly threshold: number;
}

/** What every builder needs. `expiresAt` is RFC 3339 in UTC. */
export interface RoleTerm {
  readonly version: number;
  readonly expiresAt: string;
}

/** A target as metadata lists it. */
export interface TargetDescription {
  readonly path: string;
  readonly lengthBytes: number;
  readonly sha256Hex: string;
}

/** One stage: its role is named after it, terminates, and may speak for `channel/<stage>.json` only. */
export interface StageDelegation extends RoleKeys {
  readonly stage: string;
}

/** Days that each role's metadata is valid: offline roles long, the online ones as long as a lane may go unattended. */
const VALID_DAYS = { root: 365, targets: 180, stage: 30, snapshot: 7, timestamp: 7 } as const;

const SECONDS_PER_DAY = 86_400;

/** When metadata of a role that is made at `now` expires. */
export function tufExpiryAt(role: keyof typeof VALID_DAYS, now: string): string {
  return secondsToTime(timeToSeconds(now) + VALID_DAYS[role] * SECONDS_PER_DAY);
}

/** The field of root that says: made from the example keys that everybody has. */
export const EXAMPLE_MARK = 'x-sealane-example';

/** The field of root by which owners say: every root after this one is in the log. Roots of before that was so do not have it. */
export const ROOTS_LOGGED_MARK = 'x-sealane-roots-logged';

/** The path of a stage's channel among the targets. */
export function channelPath(stage: string): string {
  return `channel/${stage}.json`;
}

/** Describes a target for `targetsMetadata`. */
export function describeTarget(path: string, bytes: Uint8Array): TargetDescription {
  return { path, lengthBytes: bytes.length, sha256Hex: createHash('sha256').update(bytes).digest('hex') };
}

/** Where a target's bytes lie in `trust/`: `targets/channel/HASH.prod.json` (consistent snapshots, TUF 6.2.1). */
export function publishedTargetPath(target: TargetDescription): string {
  return `targets/${targetFileName(target.path, new Map([['sha256', target.sha256Hex]]))}`;
}

/**
 * Unsigned root metadata. Version N+1 is to be signed by a threshold of version N's root keys and of its own (TUF 6.1).
 *
 * @throws TrustError `TRUST_MALFORMED` a version, expiry or threshold that no client would take
 */
export function rootMetadata(
  input: RoleTerm & { readonly roles: Readonly<Record<TopRole, RoleKeys>>; readonly marks?: JsonObject },
): Uint8Array {
  const entries = TOP_ROLES.map((role) => [role, input.roles[role]] as const);
  return unsigned('root', input, {
    ...input.marks,
    consistent_snapshot: true,
    keys: keysOf(entries.flatMap(([, { keys }]) => keys)),
    roles: Object.fromEntries(entries.map(([role, keys]) => [role, authorityJson(role, keys)])),
  });
}

/** Unsigned top-level targets metadata: the owners' own targets, and one delegation for each stage. @throws TrustError `TRUST_MALFORMED` */
export function targetsMetadata(
  input: RoleTerm & { readonly targets: readonly TargetDescription[]; readonly stages: readonly StageDelegation[] },
): Uint8Array {
  const roles = input.stages.map((delegation) => {
    const { stage } = delegation;
    // a delegated role of such a name would shadow a top-level one
    if (TOP_ROLES.some((role) => role === stage)) throw unfit('targets', `a stage not named ${stage}`);
    return { name: stage, paths: [channelPath(stage)], terminating: true, ...authorityJson(stage, delegation) };
  });
  const delegations = { keys: keysOf(input.stages.flatMap(({ keys }) => keys)), roles };
  return unsigned('targets', input, { targets: targetsJson(input.targets), delegations });
}

/** Unsigned metadata of a stage's role, which lists its channel and nothing else. `channel` is the channel document. @throws TrustError `TRUST_MALFORMED` */
export function stageMetadata(input: RoleTerm & { readonly stage: string; readonly channel: Uint8Array }): Uint8Array {
  return unsigned('targets', input, { targets: targetsJson([describeTarget(channelPath(input.stage), input.channel)]) });
}

/**
 * Unsigned snapshot metadata over the signed files of targets and of every stage. `previous` is the snapshot before: what it lists goes on being listed
 * (TUF 5.5.5: clients refuse a snapshot that drops a role), also for a stage that no longer exists.
 *
 * @throws TrustError `TRUST_ROLLBACK` a role would go back behind `previous`; `TRUST_MALFORMED`
 */
export function snapshotMetadata(input: RoleTerm & { readonly roles: readonly ListedRole[]; readonly previous?: Uint8Array }): Uint8Array {
  const listed = new Map((input.previous === undefined ? [] : readListedRoles(input.previous)).map((role) => [role.role, role]));
  for (const role of input.roles) {
    const before = listed.get(role.role)?.version ?? 0;
    if (role.version < before) {
      throw new TrustError(
        'TRUST_ROLLBACK',
        `build snapshot ${input.version}: expected ${role.role} at version ${before} or above, got ${role.version}`,
      );
    }
    listed.set(role.role, role);
  }
  return unsigned('snapshot', input, {
    meta: Object.fromEntries([...listed.values()].map((role) => [`${role.role}.json`, listedJson(role)])),
  });
}

/** Unsigned timestamp metadata over the signed snapshot. @throws TrustError `TRUST_MALFORMED` */
export function timestampMetadata(input: RoleTerm & { readonly snapshot: ListedRole }): Uint8Array {
  return unsigned('timestamp', input, { meta: { 'snapshot.json': listedJson(input.snapshot) } });
}

function unsigned(type: TopRole, term: RoleTerm, body: JsonObject): Uint8Array {
  if (!Number.isSafeInteger(term.version) || term.version < 1) throw unfit(type, `a version of at least 1, got ${term.version}`);
  if (!isTime(term.expiresAt)) throw unfit(type, `expiresAt as YYYY-MM-DDTHH:MM:SSZ, got ${JSON.stringify(term.expiresAt)}`);
  const signed = { ...body, _type: type, spec_version: TUF_SPEC_VERSION, version: term.version, expires: term.expiresAt };
  return canonicalJson({ signatures: [], signed });
}

function authorityJson(role: string, { keys, threshold }: RoleKeys): JsonObject {
  const keyids = [...new Set(keys.map((spki) => tufKeyOfSpki(spki).id))];
  if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > keyids.length) {
    throw unfit(role, `a threshold from 1 to its ${keyids.length} keys, got ${threshold}`);
  }
  return { keyids, threshold };
}

function keysOf(spkis: readonly Uint8Array[]): JsonObject {
  return Object.fromEntries(spkis.map((spki) => tufKeyOfSpki(spki)).map(({ id, json }) => [id, json]));
}

function targetsJson(targets: readonly TargetDescription[]): JsonObject {
  return Object.fromEntries(
    targets.map(({ path, lengthBytes, sha256Hex }) => [path, { length: lengthBytes, hashes: { sha256: sha256Hex } }]),
  );
}

function listedJson({ version, lengthBytes, sha256Hex }: ListedRole): JsonObject {
  return { version, length: lengthBytes, hashes: { sha256: sha256Hex } };
}

function unfit(role: string, expected: string): TrustError {
  return new TrustError('TRUST_MALFORMED', `build ${role} metadata: expected ${expected}`, { role });
}
