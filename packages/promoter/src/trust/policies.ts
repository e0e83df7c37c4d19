/**
 * Policies out of a pipeline: what each stage's sites will judge by, with every key spelled out.
 *
 * What was signed under a key before it was replaced, revoked or dropped goes on counting: the key stays where it was named and ends at a log index.
 */
import { base64, type Digest, keyIdOf, type JsonObject, parseDigest, PromoterError } from '@sealane/core';
import { type Policy, type PolicyKey, type PolicyPerson, type PolicyScope, scopeName } from '@sealane/trust';
import type { Pipeline } from '../pipeline/pipeline.js';

/** The public half (SPKI DER) of a key by its name. */
export type FindKey = (name: string) => Uint8Array;

/** A key whose signatures end to count at a log index. */
export interface RevokedKey {
  readonly keyId: string;
  readonly untilIndex: number;
  readonly reason: string;
}

/** What a policy is made from, beside its stage. `logSize` is where keys that are no longer named end. */
export interface PolicySource {
  readonly pipeline: Pipeline;
  readonly findKey: FindKey;
  readonly logVkey: string;
  readonly logSize: number;
  readonly revoked: readonly RevokedKey[];
  /** The policy that is published now; none for a new stage. */
  readonly before?: Policy;
}

const NO_FLOOR = { counter: 0, index: 0 };

/**
 * The policy of one stage, one version above the one before it.
 *
 * @throws PromoterError `STAGE_UNKNOWN`; `CONFIG_INVALID` a key that the pipeline names is not there
 */
export function policyFor(source: PolicySource, stage: string): Policy {
  const { pipeline, before } = source;
  const chain = chainOf(pipeline, stage);
  const ids = (names: readonly string[]): readonly string[] => names.map((name) => keyIdOf(source.findKey(name)));
  const kept = keeperOf(source, chain, ids);
  const { signers } = pipeline;
  return {
    apiVersion: 'sealane/v1',
    kind: 'Policy',
    lane: pipeline.lane,
    stage,
    version: (before?.version ?? 0) + 1,
    chain: chain.map(({ name, from, key }) => ({
      stage: name,
      from,
      keys: kept(ids([key ?? name]), before?.chain.find((link) => link.stage === name)?.keys),
    })),
    keys: keyTable(source, chain),
    people: people(source, ids, kept),
    signers: {
      release: kept(ids(signers.release), before?.signers.release),
      provenance: kept(ids(signers.provenance), before?.signers.provenance),
      tests: kept(ids(signers.tests), before?.signers.tests),
      hardware: kept(ids(signers.hardware), before?.signers.hardware),
      scans: kept(ids(signers.scans), before?.signers.scans),
      vex: kept(ids(signers.vex), before?.signers.vex),
      sboms: kept(ids(signers.sboms), before?.signers.sboms),
    },
    registrar: kept(ids(pipeline.registrar), before?.registrar),
    logs: [{ origin: pipeline.lane, baseUrl: pipeline.baseUrl ?? `https://${pipeline.lane}`, vkey: source.logVkey }],
    witnesses: pipeline.witnesses.map(({ vkey }) => vkey),
    ...pastWitnesses(source),
    quorum: pipeline.quorum,
    gates: (chain.at(-1)?.gates ?? []).map(({ use, with: settings }) => ({ use, with: asJson(settings) })),
    groups: groupsOf(pipeline, stage),
    hardware: {
      require: pipeline.hardware.require,
      equivalences: pipeline.hardware.equivalences.map((item) => ({
        ...item,
        classes: item.classes.map((text): Digest => parseDigest(text)),
      })),
    },
    ...scopes(source, ids, kept),
    ...(pipeline.exceptions.length === 0 ? {} : { exceptions: pipeline.exceptions }),
    floor: before?.floor ?? NO_FLOOR,
    accepts: before?.accepts ?? [],
  };
}

/** Witnesses that the pipeline names no more: what was proved under them up to now goes on counting. A limit only ever gets lower. */
function pastWitnesses({ pipeline, before, logSize }: PolicySource): Pick<Policy, 'pastWitnesses'> {
  const now = new Set(pipeline.witnesses.map(({ vkey }) => vkey));
  const earlier = before?.pastWitnesses ?? [];
  const gone = (before?.witnesses ?? []).map((vkey) => ({ vkey, belowSize: logSize }));
  const past = [...earlier, ...gone.filter(({ vkey }) => !earlier.some((witness) => witness.vkey === vkey))].filter(
    ({ vkey }) => !now.has(vkey),
  );
  return past.length === 0 ? {} : { pastWitnesses: past };
}

/** The groups of a stage; one that matches every site when the pipeline names none. */
function groupsOf(pipeline: Pipeline, stage: string): Policy['groups'] {
  return pipeline.groups[stage] ?? [{ name: 'all', match: {} }];
}

/** Names of the P-256 keys that a pipeline needs, each once: those of stages, people, signers and registrar. */
export function pipelineKeys({ stages, people: persons, signers, registrar }: Pipeline): readonly string[] {
  return [
    ...new Set([
      ...stages.map(({ name, key }) => key ?? name),
      ...persons.flatMap(({ keys }) => keys),
      ...Object.values(signers).flat(),
      ...registrar,
    ]),
  ];
}

/** This stage (last) and all upstream of it, in the pipeline's order, which is topological. */
function chainOf(pipeline: Pipeline, stage: string): Pipeline['stages'] {
  const wanted = new Set([stage]);
  for (const { name, from } of [...pipeline.stages].reverse()) if (wanted.has(name)) from.forEach((upstream) => wanted.add(upstream));
  const chain = pipeline.stages.filter(({ name }) => wanted.has(name));
  if (!chain.some(({ name }) => name === stage)) {
    throw new PromoterError(
      'STAGE_UNKNOWN',
      `look up stage ${stage}: expected one of ${pipeline.stages.map(({ name }) => name).join(', ')}`,
    );
  }
  return chain;
}

type Keep = (now: readonly string[], before: readonly string[] | undefined) => readonly string[];

/**
 * The keys named now, then those named before that are no longer in use anywhere: they end in the key table. A key that merely lost one role loses
 * it at once, since its window cannot tell roles apart.
 */
function keeperOf(source: PolicySource, chain: Pipeline['stages'], ids: (names: readonly string[]) => readonly string[]): Keep {
  const used = new Set(ids(usedNames(source.pipeline, chain)));
  return (now, before = []) => [...new Set([...now, ...before.filter((id) => !used.has(id))])];
}

function people(source: PolicySource, ids: (names: readonly string[]) => readonly string[], kept: Keep): readonly PolicyPerson[] {
  const before = source.before?.people ?? [];
  const now = source.pipeline.people.map(({ id, keys }) => ({
    id,
    keys: kept(ids(keys), before.find((person) => person.id === id)?.keys),
  }));
  const named = new Set(now.flatMap(({ keys }) => keys));
  const dropped = before
    .filter(({ id }) => !now.some((person) => person.id === id))
    .map(({ id, keys }) => ({ id, keys: keys.filter((key) => !named.has(key)) }))
    .filter(({ keys }) => keys.length > 0);
  return [...now, ...dropped];
}

/** What a key signed before it was replaced or dropped stays in its scope: without one it would count for every release. */
function scopes(source: PolicySource, ids: (names: readonly string[]) => readonly string[], kept: Keep): Pick<Policy, 'scopes'> {
  const before = source.before?.scopes ?? [];
  const now = source.pipeline.scopes.map((scope): PolicyScope => {
    const old = before.find((each) => scopeName(each) === scopeName(scope));
    return { ...scope, signers: kept(ids(scope.signers), old?.signers) };
  });
  const dropped = before
    .filter((old) => !now.some((scope) => scopeName(scope) === scopeName(old)))
    .map((old) => ({ ...old, signers: kept([], old.signers), people: [] }))
    .filter(({ signers }) => signers.length > 0);
  const all = [...now, ...dropped];
  return all.length === 0 ? {} : { scopes: all };
}

function usedNames(pipeline: Pipeline, chain: Pipeline['stages']): readonly string[] {
  return [...chain.map(({ name, key }) => key ?? name), ...pipelineKeys({ ...pipeline, stages: [] })];
}

/** Every key with its window. Windows only ever get narrower: what was ended stays ended, whoever names the key again. */
function keyTable(source: PolicySource, chain: Pipeline['stages']): Record<string, PolicyKey> {
  const { pipeline, before } = source;
  const table = new Map<string, PolicyKey>(Object.entries(before?.keys ?? {}));
  const used = new Set<string>();
  for (const name of usedNames(pipeline, chain)) {
    const spki = source.findKey(name);
    const id = keyIdOf(spki);
    used.add(id);
    if (!table.has(id)) table.set(id, { spki: base64(spki), origin: pipeline.lane, fromIndex: 0, untilIndex: null, reason: null });
  }
  for (const [id, key] of table) if (!used.has(id)) table.set(id, ended(key, source.logSize, 'no longer named'));
  for (const { keyId, untilIndex, reason } of source.revoked) {
    const key = table.get(keyId);
    if (key !== undefined) table.set(keyId, ended(key, untilIndex, reason));
  }
  return Object.fromEntries(table);
}

function ended(key: PolicyKey, untilIndex: number, reason: string): PolicyKey {
  if (key.untilIndex !== null && key.untilIndex <= untilIndex) return key;
  return { ...key, untilIndex: Math.max(untilIndex, key.fromIndex), reason };
}

function asJson(value: Readonly<Record<string, unknown>>): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  if (typeof copy !== 'object' || copy === null) throw new PromoterError('CONFIG_INVALID', 'read gate settings: expected an object');
  return copy as JsonObject;
}
