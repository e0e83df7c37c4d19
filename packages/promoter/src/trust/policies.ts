/**
 * Policies out of a pipeline: what each stage's sites will judge by, with every key spelled out.
 *
 * What was signed under a key before it was replaced, revoked or dropped goes on counting: the key stays where it was named and ends at a log index.
 */
import { base64, type Digest, identityIdOf, keyIdOf, type JsonObject, parseDigest, PromoterError } from '@sealane/core';
import {
  type Policy,
  type PolicyIdentity,
  type PolicyKey,
  type PolicyPerson,
  type PolicyScope,
  type PolicyWindow,
  scopeName,
} from '@sealane/trust';
import type { Pipeline } from '../pipeline/pipeline.js';
import { authoritiesOf } from './authorities.js';
import { logPart } from './policy-logs.js';
import type { PolicySource } from './policy-source.js';

const NO_FLOOR = { counter: 0, index: 0 };

/**
 * The policy of one stage, one version above the one before it.
 *
 * @throws PromoterError `STAGE_UNKNOWN`; `CONFIG_INVALID` a key that the pipeline names is not there
 */
export function policyFor(source: PolicySource, stage: string): Policy {
  const { pipeline, before } = source;
  const chain = chainOf(pipeline, stage);
  const ids = (names: readonly string[]): readonly string[] => names.map((name) => signerIdNamed(source, name));
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
    ...identityTable(source, chain),
    ...authoritiesOf(pipeline),
    people: people(source, ids, kept),
    signers: {
      release: kept(ids(signers.release), before?.signers.release),
      provenance: kept(ids(signers.provenance), before?.signers.provenance),
      tests: kept(ids(signers.tests), before?.signers.tests),
      hardware: kept(ids(signers.hardware), before?.signers.hardware),
      scans: kept(ids(signers.scans), before?.signers.scans),
      vex: kept(ids(signers.vex), before?.signers.vex),
      sboms: kept(ids(signers.sboms), before?.signers.sboms),
      ...secretSigners(kept(ids(signers.secrets), before?.signers.secrets)),
    },
    registrar: kept(ids(pipeline.registrar), before?.registrar),
    ...logPart(source),
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

/** Absent while there is nobody, as in policies of before. */
function secretSigners(secrets: readonly string[]): Pick<Policy['signers'], 'secrets'> {
  return secrets.length === 0 ? {} : { secrets };
}

/** The groups of a stage; one that matches every site when the pipeline names none. */
function groupsOf(pipeline: Pipeline, stage: string): Policy['groups'] {
  return pipeline.groups[stage] ?? [{ name: 'all', match: {} }];
}

/** Names of the P-256 keys that a pipeline needs, each once: those of stages, people, signers and registrar. */
export function pipelineKeys(pipeline: Pipeline): readonly string[] {
  return signerNames(pipeline).filter((name) => !Object.hasOwn(pipeline.identities, name));
}

function signerNames({ stages, people: persons, signers, registrar }: Pipeline): readonly string[] {
  return [
    ...new Set([
      ...stages.map(({ name, key }) => key ?? name),
      ...persons.flatMap(({ keys }) => keys),
      ...Object.values(signers).flat(),
      ...registrar,
    ]),
  ];
}

/** The id by which a policy names a signer: that of an identity of the pipeline, else that of the key of this name. */
function signerIdNamed({ pipeline, findKey }: PolicySource, name: string): string {
  const identity = Object.hasOwn(pipeline.identities, name) ? pipeline.identities[name] : undefined;
  return identity === undefined ? keyIdOf(findKey(name)) : identityIdOf(identity);
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
  return [...chain.map(({ name, key }) => key ?? name), ...signerNames({ ...pipeline, stages: [] })];
}

/** Every key with its window. */
function keyTable(source: PolicySource, chain: Pipeline['stages']): Record<string, PolicyKey> {
  const { pipeline } = source;
  const names = usedNames(pipeline, chain).filter((name) => !Object.hasOwn(pipeline.identities, name));
  const named = names.map((name): [string, Pick<PolicyKey, 'spki'>] => {
    const spki = source.findKey(name);
    return [keyIdOf(spki), { spki: base64(spki) }];
  });
  return windowed(source, named, source.before?.keys);
}

/** Every identity with its window; nothing where there never was one. */
function identityTable(source: PolicySource, chain: Pipeline['stages']): Pick<Policy, 'identities'> {
  const { pipeline } = source;
  const used = new Set(usedNames(pipeline, chain));
  const named = Object.entries(pipeline.identities).filter(([name]) => used.has(name));
  const table = windowed(
    source,
    named.map(([, identity]): [string, Pick<PolicyIdentity, 'identity' | 'issuer'>] => [identityIdOf(identity), identity]),
    source.before?.identities,
  );
  return Object.keys(table).length === 0 ? {} : { identities: table };
}

/** Signers with their windows. Windows only ever get narrower: what was ended stays ended, whoever names the signer again. */
function windowed<Named extends object>(
  { pipeline, logSize, revoked }: PolicySource,
  named: readonly (readonly [id: string, signer: Named])[],
  earlier: Readonly<Record<string, Named & PolicyWindow>> = {},
): Record<string, Named & PolicyWindow> {
  const table = new Map(Object.entries(earlier));
  for (const [id, signer] of named) {
    if (!table.has(id)) table.set(id, { ...signer, origin: pipeline.lane, fromIndex: 0, untilIndex: null, reason: null });
  }
  const used = new Set(named.map(([id]) => id));
  for (const [id, signer] of table) if (!used.has(id)) table.set(id, ended(signer, logSize, 'no longer named'));
  for (const { keyId, untilIndex, reason } of revoked) {
    const signer = table.get(keyId);
    if (signer !== undefined) table.set(keyId, ended(signer, untilIndex, reason));
  }
  return Object.fromEntries(table);
}

function ended<Signer extends PolicyWindow>(key: Signer, untilIndex: number, reason: string): Signer {
  if (key.untilIndex !== null && key.untilIndex <= untilIndex) return key;
  return { ...key, untilIndex: Math.max(untilIndex, key.fromIndex), reason };
}

function asJson(value: Readonly<Record<string, unknown>>): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  if (typeof copy !== 'object' || copy === null) throw new PromoterError('CONFIG_INVALID', 'read gate settings: expected an object');
  return copy as JsonObject;
}
