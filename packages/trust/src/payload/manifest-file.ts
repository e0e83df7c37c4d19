/** Reads a manifest for an orchestrator: Kubernetes, compose or quadlet, by an explicit rule and never by a guess that could pass. */
import { fromUtf8, TrustError } from '@sealane/core';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';
import { isQuadletName, parseQuadlet, type QuadletUnit } from './quadlet-file.js';
import { isOddMerge, isPlainTag, oddMergeIn, strangeCharacter } from './yaml-dialects.js';

/** Far above any manifest that people write or generate. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** Aliases may not swell a small file into a large document. */
const MAX_ALIASES = 100;
/** Kubernetes objects nest some 20 deep. */
const MAX_DEPTH = 100;

/** Where something is in a document: keys and indexes from its root. */
export type Place = readonly (string | number)[];

/** One YAML document: its plain value, and the line (1-based) of a place in it, or of the nearest place above that is written down. */
export interface YamlDocument {
  readonly value: unknown;
  readonly lineOf: (place: Place) => number;
}

/** A manifest as far as it is understood; `other` is YAML of no known kind, `text` no YAML at all. */
export type ManifestFile =
  | { readonly format: 'kubernetes' | 'compose' | 'other'; readonly documents: readonly YamlDocument[] }
  | { readonly format: 'quadlet'; readonly unit: QuadletUnit }
  | { readonly format: 'text'; readonly line: number; readonly why: string };

/**
 * Reads a manifest by its file name and bytes.
 *
 * @throws TrustError `CONTENT_LENGTH` too large
 */
export function readManifestFile(name: string, bytes: Uint8Array): ManifestFile {
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw new TrustError('CONTENT_LENGTH', `read manifest ${name}: expected at most ${MAX_MANIFEST_BYTES} bytes, got ${bytes.length}`);
  const text = textOf(bytes);
  if (text === undefined) return { format: 'text', line: 1, why: 'it is not UTF-8 text' };
  if (isQuadletName(name)) return { format: 'quadlet', unit: parseQuadlet(name, text) };
  const strangeness = strangeCharacter(text);
  if (strangeness !== undefined)
    return { format: 'text', line: strangeness.line, why: `it has a character that parsers read differently, ${strangeness.what}` };
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: true,
    strict: true,
    merge: true,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const documents: YamlDocument[] = [];
  for (const document of 'empty' in parsed ? [] : parsed) {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) return { format: 'text', line: lines.linePos(fault.pos[0]).line, why: fault.message.slice(0, 200) };
    const strange = strangeNode(document);
    if (strange !== undefined) return { format: 'text', line: lines.linePos(strange.offset).line, why: strange.why };
    const value = valueOf(document);
    if (!value.ok) return { format: 'text', line: 1, why: value.why };
    if (value.value !== null) documents.push({ value: value.value, lineOf: (place) => lineOf(document, lines, place) });
  }
  return { format: formatOf(documents), documents };
}

/** Whether a value is a mapping. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Calls `visit` for a value and everything below it, with its place. */
export function walk(value: unknown, visit: (value: unknown, place: Place) => void, place: Place = []): void {
  visit(value, place);
  if (place.length >= MAX_DEPTH) return;
  if (Array.isArray(value)) value.forEach((item: unknown, at) => walk(item, visit, [...place, at]));
  else if (isRecord(value)) for (const [key, item] of Object.entries(value)) walk(item, visit, [...place, key]);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes);
  } catch {
    // fromUtf8 throws for one reason only: the bytes are no UTF-8, so no format that is read here
    return undefined;
  }
}

/** Where a key is that is no plain text, as in a template that nobody has filled in, or a tag that not all parsers know. */
function strangeNode(document: Document): { readonly offset: number; readonly why: string } | undefined {
  let found: { readonly offset: number; readonly why: string } | undefined;
  visit(document, {
    Map: (_, map) => {
      const odd = oddMergeIn(map, document);
      if (odd === undefined) return undefined;
      found = { offset: offsetOf(odd) ?? 0, why: 'it has a << that parsers read differently: a second one, or one behind what it has too' };
      return visit.BREAK;
    },
    Pair: (_, { key }) => {
      if (isScalar(key) && !isOddMerge(key)) return undefined;
      const why = isScalar(key) ? 'it has a quoted <<, which parsers read differently' : 'a key is no text: is it a template?';
      found = { offset: offsetOf(key) ?? 0, why };
      return visit.BREAK;
    },
    Value: (_, node) => {
      if (isPlainTag(node.tag)) return undefined;
      found = { offset: offsetOf(node) ?? 0, why: `it has a tag that parsers read differently, ${(node.tag ?? '').slice(0, 100)}` };
      return visit.BREAK;
    },
  });
  return found;
}

function valueOf(document: Document): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string } {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return depthOf(value) >= MAX_DEPTH ? { ok: false, why: `it nests more than ${MAX_DEPTH} deep` } : { ok: true, value };
  } catch (error) {
    // the library throws for aliases without an anchor, and for too many of them
    return { ok: false, why: error instanceof Error ? error.message.slice(0, 200) : String(error) };
  }
}

/** How deep a value nests, as far as `walk` goes. */
function depthOf(value: unknown): number {
  const deepest = { depth: 0 };
  walk(value, (_, place) => {
    deepest.depth = Math.max(deepest.depth, place.length);
  });
  return deepest.depth;
}

function formatOf(documents: readonly YamlDocument[]): 'kubernetes' | 'compose' | 'other' {
  const isKubernetes = ({ value }: YamlDocument): boolean =>
    isRecord(value) && typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string' && !isRecord(value['services']);
  const isCompose = ({ value }: YamlDocument): boolean =>
    isRecord(value) && isRecord(value['services']) && value['apiVersion'] === undefined;
  if (documents.length === 0) return 'other';
  if (documents.every(isKubernetes)) return 'kubernetes';
  return documents.length === 1 && documents.every(isCompose) ? 'compose' : 'other';
}

/** The line of the deepest part of a place that is written in the document: what an alias or a merge brought in is at the alias. */
function lineOf(document: Document, lines: LineCounter, place: Place): number {
  let node: unknown = document.contents;
  let offset = offsetOf(node) ?? 0;
  for (const key of place) {
    if (isAlias(node)) break;
    const next: { readonly node: unknown; readonly offset: number | undefined } | undefined = childOf(node, key);
    if (next === undefined) break;
    offset = next.offset ?? offset;
    node = next.node;
  }
  return lines.linePos(offset).line;
}

function childOf(node: unknown, key: string | number): { readonly node: unknown; readonly offset: number | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
    return pair === undefined ? undefined : { node: pair.value, offset: offsetOf(pair.key) };
  }
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    return item === undefined ? undefined : { node: item, offset: offsetOf(item) };
  }
  return undefined;
}

function offsetOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : undefined;
}
