/** Every key of the lane: where it is used, where it is kept, when it counts, and what it signed. */
import path from 'node:path';
import { type Identity, identityIdOf, parseVkey } from '@sealane/core';
import type { CountRecord } from '@sealane/ledger';
import { type Policy, type PolicyLog, signerWindow } from '@sealane/trust';
import type { Promoter } from '../promoter.js';
import type { LaneTrust } from '../trust/lane-trust.js';
import { logKeyId } from '../trust/log-key.js';
import { type StoredKey, storedKeys } from './key-store.js';

/** What policies say of a key: the log indexes in which its statements count, from ≤ index < until; null where none ends it. */
interface KeyWindow {
  readonly fromIndex: number;
  readonly untilIndex: number | null;
}

/**
 * A key with the names of its files here and how it is kept (or, keyless, an identity as the pipeline calls it), its uses (`prod: approver alice`), its window, and what of it is in the log, by
 * type. `expiresAt` is when the metadata that names it expires, unless the owners renew that before.
 */
export interface KeyUse extends KeyWindow {
  readonly id: string;
  readonly identity?: Identity;
  readonly names: readonly string[];
  readonly keptIn: readonly (StoredKey['keptIn'] | 'keyless')[];
  readonly uses: readonly string[];
  readonly expiresAt: string;
  readonly signed: readonly Omit<CountRecord, 'keyId'>[];
}

const TOP_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;
const TOP_USES = { root: 'owner of root', targets: 'owner of targets', snapshot: 'signs snapshot', timestamp: 'signs timestamp' } as const;
/** Statements of a key that no policy names count nowhere, so metadata's keys have no window. */
const NO_WINDOW: KeyWindow = { fromIndex: 0, untilIndex: null };

/** Every key that root, a delegation or a policy names, each once, in that order; then those of the log and its witnesses. */
export async function keyUses({ lane, home, ledger, pipeline }: Promoter): Promise<readonly KeyUse[]> {
  const stored = storedKeys(home);
  const counts = await ledger.statementCounts();
  return keyIdsIn(lane).map((id) => {
    const files = stored.filter((key) => key.id === id);
    const identity = identityOf(lane, id);
    return {
      id,
      ...(identity === undefined ? {} : { identity }),
      names:
        identity !== undefined
          ? namesOf(pipeline, id)
          : files.map(({ file }) => path.basename(file).replace(/(?:\.pub)?\.pem$|\.keyref$/, '')),
      keptIn: identity !== undefined ? ['keyless'] : files.map(({ keptIn }) => keptIn),
      uses: usesOf(lane, id),
      ...(windowOf(lane, id) ?? { ...NO_WINDOW, untilIndex: noteEnd(lane, id) }),
      expiresAt: expiryOf(lane, id),
      signed: counts.filter(({ keyId }) => keyId === id).map(({ predicateType, count }) => ({ predicateType, count })),
    };
  });
}

function policiesOf({ stages }: LaneTrust): readonly Policy[] {
  return [...stages.values()].map(({ policy }) => policy);
}

function keyIdsIn(lane: LaneTrust): readonly string[] {
  const named = [...TOP_ROLES.flatMap(lane.topKeyIds), ...[...lane.stages.keys()].flatMap(lane.stageKeyIds)];
  const policies = policiesOf(lane).flatMap(({ keys, identities = {} }) => [...Object.keys(keys), ...Object.keys(identities)]);
  return [...new Set([...named, ...policies, ...noteKeysOf(lane).map(({ id }) => id)])];
}

/** A key of notes: of the lane's log, or of a witness. `belowSize`: one that was replaced counts on checkpoints up to there. */
interface NoteKey {
  readonly id: string;
  readonly use: string;
  readonly belowSize: number | null;
}

/** The keys of the lane's log and of its witnesses: those of today, and those before. */
function noteKeysOf(lane: LaneTrust): readonly NoteKey[] {
  const policies = policiesOf(lane);
  const [log] = policies.flatMap(({ logs }): readonly PolicyLog[] => logs.filter(({ origin }) => origin === lane.origin));
  const ofLog = log === undefined ? [] : [{ vkey: log.vkey, belowSize: null }, ...(log.past ?? [])];
  const ofWitnesses = policies.flatMap(({ witnesses, pastWitnesses = [] }) => [
    ...witnesses.map((vkey) => ({ vkey, belowSize: null })),
    ...pastWitnesses,
  ]);
  return [
    ...ofLog.map(({ vkey, belowSize }) => ({ id: logKeyId(vkey), use: 'signs the log', belowSize })),
    ...ofWitnesses.map(({ vkey, belowSize }) => ({ id: logKeyId(vkey), use: `cosigns as witness ${parseVkey(vkey).name}`, belowSize })),
  ];
}

/** Up to which checkpoint a key of notes counts; null: it has no end, or is none. */
function noteEnd(lane: LaneTrust, id: string): number | null {
  const ends = noteKeysOf(lane).flatMap((key) => (key.id === id ? [key.belowSize] : []));
  return ends.length === 0 || ends.includes(null) ? null : Math.max(...ends.map(Number));
}

function identityOf(lane: LaneTrust, id: string): Identity | undefined {
  const [found] = policiesOf(lane).flatMap(({ identities = {} }) => identities[id] ?? []);
  return found === undefined ? undefined : { identity: found.identity, issuer: found.issuer };
}

/** What the pipeline calls an identity. */
function namesOf({ identities }: Promoter['pipeline'], id: string): readonly string[] {
  return Object.keys(identities).filter((name) => identities[name] !== undefined && identityIdOf(identities[name]) === id);
}

function usesOf(lane: LaneTrust, id: string): readonly string[] {
  const channels = [...lane.stages.keys()].filter((stage) => lane.stageKeyIds(stage).includes(id));
  return [
    ...new Set([
      ...TOP_ROLES.filter((role) => lane.topKeyIds(role).includes(id)).map((role) => TOP_USES[role]),
      ...channels.map((stage) => `signs channel ${stage}`),
      ...policiesOf(lane).flatMap((policy) => usesIn(policy, id)),
      ...noteKeysOf(lane).flatMap((key) => (key.id === id ? [key.use] : [])),
    ]),
  ];
}

function usesIn(policy: Policy, id: string): readonly string[] {
  return [
    ...policy.chain.filter(({ keys }) => keys.includes(id)).map(({ stage }) => `decides for ${stage}`),
    ...policy.people.filter(({ keys }) => keys.includes(id)).map((person) => `${policy.stage}: approver ${person.id}`),
    ...Object.entries(policy.signers)
      .filter(([, keys]) => keys.includes(id))
      .map(([kind]) => `${policy.stage}: signs ${kind}`),
    ...(policy.registrar.includes(id) ? [`${policy.stage}: registrar`] : []),
  ];
}

/** The narrowest window that a policy gives it: a key that one stage has ended is not listed as good. */
function windowOf(lane: LaneTrust, id: string): KeyWindow | undefined {
  const rows = policiesOf(lane).flatMap((policy) => signerWindow(policy, id) ?? []);
  if (rows.length === 0) return undefined;
  const ends = rows.flatMap(({ untilIndex }) => untilIndex ?? []);
  return { fromIndex: Math.max(...rows.map(({ fromIndex }) => fromIndex)), untilIndex: ends.length === 0 ? null : Math.min(...ends) };
}

function expiryOf(lane: LaneTrust, id: string): string {
  const { root, targets } = lane.metadata;
  const isRoots = TOP_ROLES.some((role) => lane.topKeyIds(role).includes(id));
  return new Date(isRoots ? root.expiresMs : targets.expiresMs).toISOString().replace('.000Z', 'Z');
}
