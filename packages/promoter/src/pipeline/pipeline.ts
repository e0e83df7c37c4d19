/** `pipeline.yaml`: stages, gates, people and signers as the owners write them; policies are generated from it. */
import { NOTE_KEY_TYPE, parseVkey, SealaneError } from '@sealane/core';
import { type Gate, GATES, isTime, scopeName, validateGateConfig } from '@sealane/trust';
import { promoterGates } from '@sealane/trust/promoter-gates';
import { z } from 'zod';
import { type Pipeline, pipelineShape } from './schema.js';
import { ONCE, parseYaml, readShape, valueOf, type YamlFile } from './yaml-file.js';

export type { Pipeline } from './schema.js';

/** What is looked at before the shape is checked: the names of gates. */
const gateNames = z.object({ stages: z.array(z.object({ gates: z.array(z.object({ use: z.string() })) }).partial()) }).partial();

/**
 * Reads a pipeline file, with the gates that it names loaded first: some come with a library that no other command needs.
 *
 * @throws PromoterError `CONFIG_INVALID` as `parsePipeline`
 */
export async function readPipeline(bytes: Uint8Array, file: string): Promise<Pipeline> {
  const names = gateNames.safeParse(valueOf(parseYaml(bytes, file)), ONCE);
  const uses = (names.data?.stages ?? []).flatMap(({ gates = [] }) => gates.map(({ use }) => use));
  return parsePipeline(bytes, file, await promoterGates(uses));
}

/**
 * Reads a pipeline file. Every problem is named with line and column; a gate that is not among `gates` is one.
 *
 * @throws PromoterError `CONFIG_INVALID`
 */
export function parsePipeline(bytes: Uint8Array, file: string, gates: readonly Gate[] = GATES): Pipeline {
  const yaml = parseYaml(bytes, file);
  const pipeline = readShape(yaml, pipelineShape);
  checkStages(pipeline, yaml, gates);
  checkPeople(pipeline, yaml);
  checkIdentities(pipeline, yaml);
  checkGroups(pipeline, yaml);
  checkScopes(pipeline, yaml);
  checkWitnesses(pipeline, yaml);
  checkBaseUrl(pipeline, yaml);
  pipeline.hardware.equivalences.forEach(({ expiresAt }, index) => {
    if (!isTime(expiresAt))
      throw yaml.fail(['hardware', 'equivalences', index, 'expiresAt'], `expected a time that exists, got ${expiresAt}`);
  });
  return pipeline;
}

/** Whether a pipeline file says who witnesses: `init` makes one for a file that does not. @throws PromoterError `CONFIG_INVALID` no YAML */
export function namesWitnesses(bytes: Uint8Array, file: string): boolean {
  return parseYaml(bytes, file).document.has('witnesses');
}

/** Stages in order, each once, gates and settings that exist. */
function checkStages({ stages }: Pipeline, { fail }: YamlFile, gates: readonly Gate[]): void {
  const seen = new Set<string>();
  stages.forEach((stage, index) => {
    const at = ['stages', index];
    const wrong = stage.from.findIndex((from) => !seen.has(from));
    if (wrong !== -1) {
      throw fail(
        [...at, 'from', wrong],
        `stage ${stage.name}: expected "from" to name stages above it (${[...seen].join(', ') || 'none'}), got ${stage.from[wrong] ?? ''}`,
      );
    }
    if (seen.has(stage.name)) throw fail([...at, 'name'], `expected each stage once, got ${stage.name} again`);
    seen.add(stage.name);
    stage.gates.forEach((gate, gateIndex) => {
      tryTo(
        () => validateGateConfig(gate.use, asJson(gate.with), gates),
        (problem) => fail([...at, 'gates', gateIndex, 'use'], problem),
      );
    });
  });
}

function checkPeople({ people }: Pipeline, { fail }: YamlFile): void {
  const ids = new Set<string>();
  const keys = new Map<string, string>();
  people.forEach((person, index) => {
    if (ids.has(person.id)) throw fail(['people', index, 'id'], `expected each person once, got ${person.id} again`);
    ids.add(person.id);
    person.keys.forEach((key, at) => {
      // quorums count people: one key is one person's
      if (keys.has(key))
        throw fail(['people', index, 'keys', at], `expected each key at one person, got ${key} at ${keys.get(key) ?? ''} and ${person.id}`);
      keys.set(key, person.id);
    });
  });
}

/** Identities stand for people and signers; what a stage or registrar says is taken where no authority can be asked, so they have keys. */
function checkIdentities({ identities, authorities, stages, registrar }: Pipeline, { fail }: YamlFile): void {
  const [first] = Object.keys(identities);
  if (first !== undefined && authorities === undefined)
    throw fail(['identities'], `identities: expected authorities that vouch for ${first} beside them, got none`);
  const isIdentity = (name: string): boolean => Object.hasOwn(identities, name);
  stages.forEach(({ name, key = name }, index) => {
    if (isIdentity(key)) throw fail(['stages', index], `stage ${name}: expected a key, got the identity ${key}`);
  });
  const registering = registrar.find(isIdentity);
  if (registering !== undefined) throw fail(['registrar'], `registrar: expected a key, got the identity ${registering}`);
}

function checkGroups({ groups, stages }: Pipeline, { fail }: YamlFile): void {
  for (const [stage, list] of Object.entries(groups)) {
    if (!stages.some(({ name }) => name === stage))
      throw fail(['groups', stage], `groups: expected names of stages (${stages.map(({ name }) => name).join(', ')}), got ${stage}`);
    list.forEach(({ name }, index) => {
      if (list.findIndex((group) => group.name === name) !== index)
        throw fail(['groups', stage, index, 'name'], `groups of ${stage}: expected each group once, got ${name} again`);
    });
  }
}

/** Scopes name people and signers that there are: a name with a slip in it would leave a key without its boundary. */
function checkScopes({ scopes, people, signers }: Pipeline, { fail }: YamlFile): void {
  const keys: readonly string[] = Object.values(signers).flat();
  scopes.forEach((scope, index) => {
    const at = ['scopes', index];
    const stranger = scope.people.findIndex((id) => !people.some((person) => person.id === id));
    if (stranger !== -1)
      throw fail(
        [...at, 'people', stranger],
        `scope of ${scope.team}: expected a person under people, got ${scope.people[stranger] ?? ''}`,
      );
    const unknown = scope.signers.findIndex((key) => !keys.includes(key));
    if (unknown !== -1)
      throw fail([...at, 'signers', unknown], `scope of ${scope.team}: expected a key under signers, got ${scope.signers[unknown] ?? ''}`);
    if (scopes.findIndex((other) => scopeName(other) === scopeName(scope)) !== index)
      throw fail([...at, 'team'], `expected one scope for each team and classes, got ${scope.team} again`);
  });
}

/** Each witness once, with a key that cosigns, and as many as the quorum. `under` is where they stand in the file. */
export function checkWitnesses(
  { witnesses, quorum }: Pick<Pipeline, 'witnesses' | 'quorum'>,
  { fail }: YamlFile,
  under: readonly string[] = [],
): void {
  if (quorum > witnesses.length)
    throw fail([...under, 'quorum'], `quorum: expected at most the ${witnesses.length} witnesses, got ${quorum}`);
  const names = new Set<string>();
  witnesses.forEach(({ vkey }, index) => {
    const at = [...under, 'witnesses', index, 'vkey'];
    const parsed = tryTo(
      () => parseVkey(vkey),
      (problem) => fail(at, problem),
    );
    if (parsed.type !== NOTE_KEY_TYPE.cosignature) throw fail(at, `expected a cosignature key (type 0x04), got type 0x0${parsed.type}`);
    if (names.has(parsed.name)) throw fail(at, `expected each witness once, got ${parsed.name} again`);
    names.add(parsed.name);
  });
}

/** cosign and others take a log's origin only when it is the host of its base URL. */
function checkBaseUrl({ lane, baseUrl }: Pipeline, { fail }: YamlFile): void {
  if (baseUrl !== undefined && new URL(baseUrl).hostname !== lane)
    throw fail(['baseUrl'], `baseUrl: expected the host ${lane}, got ${new URL(baseUrl).hostname}`);
}

function tryTo<T>(work: () => T, fail: (problem: string) => Error): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    throw fail(error.message);
  }
}

function asJson(value: Readonly<Record<string, unknown>>): Parameters<typeof validateGateConfig>[1] {
  // YAML's values are JSON's, but for dates, which the core schema of YAML 1.2 does not have
  return JSON.parse(JSON.stringify(value)) as Parameters<typeof validateGateConfig>[1];
}
