/** `pipeline.yaml`: stages, gates, people and signers as the owners write them; policies are generated from it. */
import { fromUtf8, parseVkey, PromoterError, SealaneError } from '@sealane/core';
import { validateGateConfig } from '@sealane/trust';
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/, 'expected a lower-case name');
const names = z.union([name, z.array(name)]).transform((value) => (typeof value === 'string' ? [value] : value));
/** A key by its name under HOME/keys. */
const keyName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected the name of a key under HOME/keys');
const keyNames = z.array(keyName);

const stage = z.strictObject({
  name: name.refine((value) => !['root', 'targets', 'snapshot', 'timestamp'].includes(value), 'a stage cannot have the name of a TUF role'),
  from: names.default([]),
  key: keyName.optional(),
  gates: z.array(z.strictObject({ use: z.string(), with: z.record(z.string(), z.unknown()).default({}) })).default([]),
});

const group = z.strictObject({ name, match: z.record(z.string(), z.string()).default({}) });

/** Zod's shape of the file. */
export const pipelineShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Pipeline'),
  lane: z.string().regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, 'expected a bare host name'),
  baseUrl: z.url().optional(),
  stages: z.array(stage).min(1),
  groups: z.record(z.string(), z.array(group).min(1)).default({}),
  people: z.array(z.strictObject({ id: name, keys: keyNames.min(1) })).default([]),
  signers: z.strictObject({
    release: keyNames.default(['author']),
    provenance: keyNames.default([]),
    tests: keyNames.default([]),
    hardware: keyNames.default([]),
  }),
  registrar: z.union([keyName, keyNames]).transform((value) => (typeof value === 'string' ? [value] : value)),
  witnesses: z.array(z.strictObject({ vkey: z.string(), url: z.url() })).min(1),
  quorum: z.int().min(1).default(1),
  hardware: z
    .strictObject({
      require: z.array(z.enum(['arch', 'cpu', 'vendor', 'model', 'revision', 'firmware', 'parts'])).default(['vendor', 'model', 'revision', 'firmware']),
      equivalences: z.array(z.strictObject({ classes: z.array(z.string()).min(2), owner: name, expiresAt: z.string() })).default([]),
    })
    .default({ require: ['vendor', 'model', 'revision', 'firmware'], equivalences: [] }),
});

/** A pipeline, defaults filled in. */
export type Pipeline = z.output<typeof pipelineShape>;

/**
 * Reads a pipeline file. Every problem is named with line and column.
 *
 * @throws PromoterError `CONFIG_INVALID`
 */
export function parsePipeline(bytes: Uint8Array, file: string): Pipeline {
  const lines = new LineCounter();
  const document = parseDocument(textOf(bytes, file), { lineCounter: lines, uniqueKeys: true, strict: true });
  const [error] = document.errors;
  if (error !== undefined) throw invalid(file, error.message.split('\n')[0] ?? error.message, lines.linePos(error.pos[0]));
  const parsed = pipelineShape.safeParse(document.toJS());
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, positionOf(document.contents, issue?.path ?? [], lines));
  }
  check(parsed.data, file, (path) => positionOf(document.contents, path, lines));
  return parsed.data;
}

type Position = { readonly line: number; readonly col: number } | undefined;

/** Rules that tie parts together. */
function check(pipeline: Pipeline, file: string, position: (path: readonly PropertyKey[]) => Position): void {
  const seen = new Set<string>();
  pipeline.stages.forEach((stage, index) => {
    const wrong = stage.from.find((from) => !seen.has(from));
    if (wrong !== undefined) throw invalid(file, `stage ${stage.name}: expected "from" to name stages above it, got ${wrong}`, position(['stages', index]));
    if (seen.has(stage.name)) throw invalid(file, `expected each stage once, got ${stage.name} again`, position(['stages', index]));
    seen.add(stage.name);
    stage.gates.forEach((gate, at) => checkGate(gate, () => position(['stages', index, 'gates', at]), file));
  });
  const unknown = Object.keys(pipeline.groups).find((key) => !seen.has(key));
  if (unknown !== undefined) throw invalid(file, `groups: expected names of stages, got ${unknown}`, position(['groups', unknown]));
  if (pipeline.quorum > pipeline.witnesses.length) {
    throw invalid(file, `quorum: expected at most the ${pipeline.witnesses.length} witnesses, got ${pipeline.quorum}`, position(['quorum']));
  }
  pipeline.witnesses.forEach(({ vkey }, index) => checkVkey(vkey, () => position(['witnesses', index]), file));
}

function checkGate(gate: Pipeline['stages'][number]['gates'][number], position: () => Position, file: string): void {
  try {
    validateGateConfig(gate.use, gate.with);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    throw invalid(file, error.message, position());
  }
}

function checkVkey(vkey: string, position: () => Position, file: string): void {
  try {
    parseVkey(vkey);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    throw invalid(file, error.message, position());
  }
}

/** Where in the file a path of keys leads, as far as it goes. */
function positionOf(contents: unknown, path: readonly PropertyKey[], lines: LineCounter): Position {
  let node = contents;
  let range = rangeOf(node);
  for (const key of path) {
    node = child(node, key);
    if (node === undefined) break;
    range = rangeOf(node) ?? range;
  }
  return range === undefined ? undefined : lines.linePos(range);
}

function child(node: unknown, key: PropertyKey): unknown {
  if (typeof node !== 'object' || node === null || !('get' in node) || typeof node.get !== 'function') return undefined;
  const found: unknown = isMap(node) ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.value : (node as { get(key: unknown, keep: true): unknown }).get(key, true);
  return found ?? undefined;
}

function rangeOf(node: unknown): number | undefined {
  return typeof node === 'object' && node !== null && 'range' in node ? (node as Node).range?.[0] : undefined;
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new PromoterError('CONFIG_INVALID', `read ${file}: expected UTF-8 text`, { file }, { cause });
  }
}

function invalid(file: string, problem: string, at: Position): PromoterError {
  const place = at === undefined ? file : `${file}:${at.line}:${at.col}`;
  return new PromoterError('CONFIG_INVALID', `read ${place}: ${problem}`, { file, ...at });
}
