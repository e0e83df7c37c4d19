/** A YAML file that people write: parsed strictly, every complaint with line and column. */
import { fromUtf8, PromoterError } from '@sealane/core';
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** Far above any pipeline; a file that is larger is another one. */
const MAX_BYTES = 1024 * 1024;
/** Aliases may not swell a small file into a large document. */
const MAX_ALIASES = 100;

/** A file is read once: code for its shape would cost more than it saves. */
export const ONCE = { jitless: true };

/** A parsed file. `fail` makes the error for a problem at a path of keys and indexes. */
export interface YamlFile {
  readonly document: Document;
  fail(path: readonly PropertyKey[], problem: string): PromoterError;
}

/** What to do about a file in which no line can be named. */
const ANOTHER_FILE = { hint: 'check the path: this is another file, or it was damaged on the way' };

/** Parses YAML 1.2: one document of keys and values; keys twice, tabs and other faults are refused. @throws PromoterError `CONFIG_INVALID` */
export function parseYaml(bytes: Uint8Array, file: string): YamlFile {
  if (bytes.length > MAX_BYTES)
    throw new PromoterError(
      'CONFIG_INVALID',
      `read ${file}: expected at most ${MAX_BYTES} bytes, got ${bytes.length}`,
      { file },
      ANOTHER_FILE,
    );
  const lines = new LineCounter();
  const document = parseDocument(textOf(bytes, file), { lineCounter: lines, uniqueKeys: true, strict: true, prettyErrors: false });
  const fail = (offset: number, problem: string): PromoterError => {
    const { line, col } = lines.linePos(offset);
    return new PromoterError('CONFIG_INVALID', `read ${file}:${line}:${col}: ${problem}`, { file, line, column: col });
  };
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) throw fail(error.pos[0], error.code === 'MULTIPLE_DOCS' ? ONE_DOCUMENT : lowerFirst(error.message));
  expectMap(document, bytes, file, fail);
  return { document, fail: (path, problem) => fail(offsetOf(document, path), problem) };
}

/** The library tells how to read several. */
const ONE_DOCUMENT = 'expected one document, got another one after it';

function expectMap(
  { contents }: Document,
  { length }: Uint8Array,
  file: string,
  fail: (offset: number, problem: string) => PromoterError,
): void {
  if (isMap(contents)) return;
  if (contents !== null) throw fail(rangeOf(contents) ?? 0, `expected keys with values, got a ${isSeq(contents) ? 'list' : 'text'}`);
  const got = length === 0 ? 'an empty file' : 'a file of comments and blank lines';
  throw new PromoterError(
    'CONFIG_INVALID',
    `read ${file}: expected keys with values, got ${got}`,
    { file },
    { hint: 'write the file, or name another one' },
  );
}

/** The file's value in a shape; the first thing that does not fit is named with its path and place. @throws PromoterError `CONFIG_INVALID` */
export function readShape<T>({ document, fail }: YamlFile, shape: z.ZodType<T>): T {
  const parsed = shape.safeParse(valueOf({ document, fail }), ONCE);
  if (parsed.success) return parsed.data;
  const issue = furthest(parsed.error.issues[0]);
  const path = issue?.path ?? [];
  // the place of an unknown key is the key, not the map around it
  const at = issue?.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path;
  const isMissing = path.length > 0 && !document.hasIn(path);
  throw fail(at, `${path.length === 0 ? '' : `${path.map(String).join('.')}: `}${problemOf(issue?.message ?? 'another shape', isMissing)}`);
}

type Issue = z.core.$ZodIssue;

/** Where a list or one name is taken, what is wrong with the list that stands there, or with the name. */
function furthest(issue: Issue | undefined): Issue | undefined {
  if (issue?.code !== 'invalid_union') return issue;
  const inner = issue.errors.flatMap((errors) => errors.slice(0, 1)).sort((left, right) => right.path.length - left.path.length);
  const meant = inner.find(({ path, code }) => path.length > 0 || code !== 'invalid_type');
  return furthest(meant === undefined ? undefined : { ...meant, path: [...issue.path, ...meant.path] }) ?? issue;
}

/** The library's words without its names for what JavaScript has. */
function problemOf(message: string, isMissing: boolean): string {
  const problem = lowerFirst(message.replace(/^Invalid input: /, '').replace(/, received undefined$/, ''));
  return isMissing ? `${problem}, got nothing` : problem;
}

/** The file as plain data. @throws PromoterError `CONFIG_INVALID` aliases that lead nowhere or swell it */
export function valueOf({ document, fail }: YamlFile): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    // the library throws for aliases without an anchor, and for too many of them
    throw fail([], cause instanceof Error ? lowerFirst(cause.message) : String(cause));
  }
}

/** Where a path leads, as far as it goes: of a map's entry its key, of a list's item the item. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = rangeOf(node);
  for (const key of path) {
    const next = child(node, key);
    if (next === undefined) break;
    offset = next.offset ?? offset;
    node = next.node;
  }
  return offset ?? 0;
}

function child(node: unknown, key: PropertyKey): { readonly node: unknown; readonly offset: number | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
    return pair === undefined ? undefined : { node: pair.value, offset: rangeOf(pair.key) };
  }
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    return item === undefined ? undefined : { node: item, offset: rangeOf(item) };
  }
  return undefined;
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : undefined;
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new PromoterError('CONFIG_INVALID', `read ${file}: expected UTF-8 text`, { file }, { cause, ...ANOTHER_FILE });
  }
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1, 600);
}
