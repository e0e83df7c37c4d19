/** Where parsers of YAML part: what one of them takes for a comment, or for no text, is a line or a key of its own to the other. */
import { type Document, isAlias, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';

/**
 * Go's parsers (YAML 1.1, so Podman's and compose's) end a line at a lone carriage return and at U+0085, U+2028 and U+2029 too, YAML 1.2 at none of the
 * three. A mark of byte order, and what cannot be printed, is passed over by some and refused by others.
 */
const STRANGE = /[^\t\n\r\P{Cc}]|\r(?!\n)|[\u2028\u2029\ufeff]/u;

/** Where there is one of them: its line (1-based, as lines that end in a line feed are counted) and what it is, `U+2028`. */
export function strangeCharacter(text: string): { readonly line: number; readonly what: string } | undefined {
  const found = STRANGE.exec(text);
  if (found === null) return undefined;
  const code = found[0].codePointAt(0) ?? 0;
  return { line: text.slice(0, found.index).split('\n').length, what: `U+${code.toString(16).toUpperCase().padStart(4, '0')}` };
}

/**
 * The key of a merge that parsers read differently: a second `<<` in one map, of which some take the first and some the last, and one that stands behind a key that it
 * brings too: YAML 1.1 as kubectl reads it (go-yaml 2) takes the later, others the one that is written out.
 */
export function oddMergeIn(map: YAMLMap, document: Document): unknown {
  const before = new Set<unknown>();
  let merged: unknown;
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? key.value : undefined;
    if (!isMergeName(name)) before.add(name);
    else if (merged !== undefined || (before.size > 0 && brings(value, before, document, { left: MAX_MERGED }))) return key;
    else merged = key;
  }
  return undefined;
}

/** Nodes of what one map merges in that are looked at; one that merges more is taken for odd. */
const MAX_MERGED = 1000;

/** Whether what is merged, a map, an alias of one, or a list of such, has one of these keys. */
function brings(value: unknown, names: ReadonlySet<unknown>, document: Document, budget: { left: number }): boolean {
  budget.left -= 1;
  if (budget.left < 0) return true;
  const node = isAlias(value) ? value.resolve(document) : value;
  if (isSeq(node)) return node.items.some((item) => brings(item, names, document, budget));
  if (!isMap(node)) return false;
  return node.items.some(({ key, value: inner }) => {
    const name = isScalar(key) ? key.value : undefined;
    return isMergeName(name) ? brings(inner, names, document, budget) : names.has(name);
  });
}

/** The library writes a plain `<<` as a symbol. */
function isMergeName(name: unknown): boolean {
  return name === '<<' || typeof name === 'symbol';
}

const PLAIN_TAGS: readonly string[] = ['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`);

/** Whether a node's tag, where it has one, is of those that mean the same to every parser. `!!binary` spells a text that one decodes and another passes on. */
export function isPlainTag(tag: string | undefined): boolean {
  return tag === undefined || PLAIN_TAGS.includes(tag);
}

/** Whether a key merges in another map for some and is a text to others: `'<<'` is one to Go. */
export function isOddMerge({ value, type, tag }: { readonly value: unknown; readonly type?: string; readonly tag?: string }): boolean {
  return value === '<<' && (type !== 'PLAIN' || tag !== undefined);
}
