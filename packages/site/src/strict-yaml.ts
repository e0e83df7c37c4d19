/** YAML that people write for a site: strict, bounded, each fault with file, line and column. */
import { fromUtf8, SealaneError, SiteError } from '@sealane/core';
import { type Document, isMap, isNode, isPair, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Disk } from './disk.js';

/** A hand-written file of a page or two. */
const MAX_YAML_BYTES = 256 * 1024;

/** Uses of anchors that are followed: more is no configuration. */
const MAX_ALIASES = 32;

/** A word of a value that a message repeats. */
const MAX_QUOTED = 64;

/** A file that is YAML. */
export interface YamlText {
  readonly document: Document.Parsed;
  readonly file: string;
  /** A fault at a place of the text. */
  fault(offset: number, problem: string): SiteError;
}

/**
 * The text of a file; `what` is it, in words.
 *
 * @throws SiteError `CONFIG_INVALID` missing, not UTF-8; CoreError when it is too long
 */
export function readYamlFile(disk: Disk, file: string, what: string): string {
  const bytes = disk.read(file, MAX_YAML_BYTES);
  if (bytes === undefined)
    throw new SiteError(
      'CONFIG_INVALID',
      `read ${file}: expected ${what}, got no such file`,
      { path: file },
      { hint: 'check the path: nothing is there; site.yaml is looked for in this folder unless --config FILE names it' },
    );
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new SiteError('CONFIG_INVALID', `read ${file}: expected UTF-8 text`, { path: file }, { cause });
  }
}

/** Parses; `file` is for messages. @throws SiteError `CONFIG_INVALID` */
export function openYaml(source: string, file: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true, strict: true });
  const fault = (offset: number, problem: string): SiteError => {
    const { line, col } = lines.linePos(offset);
    return new SiteError('CONFIG_INVALID', `read ${file}, line ${line}, column ${col}: ${problem}`, { path: file, line, column: col });
  };
  const [first] = document.errors;
  if (first !== undefined)
    throw fault(first.pos[0], first.code === 'MULTIPLE_DOCS' ? ONE_DOCUMENT : (first.message.split('\n')[0] ?? first.code));
  if (document.contents === null) throw emptyFile(source, file);
  return { document, file, fault };
}

/** The library tells how to read several. */
const ONE_DOCUMENT = 'expected one document, got another one after it';

function emptyFile(source: string, file: string): SiteError {
  const got = source === '' ? 'an empty file' : 'a file of comments and blank lines';
  const hint = 'write the file, or name another one';
  return new SiteError('CONFIG_INVALID', `read ${file}: expected keys with values, got ${got}`, { path: file }, { hint });
}

/** What it says, if it is of the shape; `page` names the page on its format. @throws SiteError `CONFIG_INVALID` */
export function readShape<T>({ document, fault }: YamlText, shape: z.ZodType<T>, page: string): T {
  const parsed = shape.safeParse(toPlain(document, fault));
  if (parsed.success) return parsed.data;
  const issue = deepest(parsed.error.issues[0]);
  const isMissing = issue.path.length > 0 && !document.hasIn(issue.path);
  const word = issue.code === 'invalid_union' ? document.getIn(issue.path) : undefined;
  const got = isMissing ? ', got nothing' : typeof word === 'string' && word.length <= MAX_QUOTED ? `, got ${word}` : '';
  throw fault(offsetOf(document, issue), `${issue.path.map(String).join('.') || 'the whole'}: ${describe(issue, page)}${got}`);
}

/** An alias bomb is refused while it is unfolded. */
function toPlain(document: Document, fault: YamlText['fault']): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw fault(0, error instanceof Error ? error.message.toLowerCase() : String(error));
  }
}

type Issue = z.core.$ZodIssue;

/** Of a union's failures the one that got furthest, which is the form that was meant. */
function deepest(issue: Issue | undefined): Issue {
  if (issue === undefined) return { code: 'custom', path: [], message: 'another shape', input: undefined };
  if (issue.code !== 'invalid_union') return issue;
  const branches = issue.errors
    .flatMap((errors) => errors.slice(0, 1))
    .filter((inner) => inner.path.length > 0 && inner.code !== 'unrecognized_keys');
  const [inner] = branches.sort((left, right) => right.path.length - left.path.length);
  return inner === undefined || !('input' in inner || inner.code !== 'invalid_type')
    ? issue
    : deepest({ ...inner, path: [...issue.path, ...inner.path] });
}

function describe(issue: Issue, page: string): string {
  if (issue.code === 'unrecognized_keys') return `unknown ${issue.keys.join(', ')}`;
  if (issue.code === 'invalid_union' && 'options' in issue) return `expected one of ${String(issue.options).replaceAll(',', ', ')}`;
  if (issue.code === 'invalid_union') return `expected one of the forms of ${page}`;
  // the library's words without its names for what JavaScript has
  const message = issue.message.replace(/^Invalid input: /, '').replace(/, received undefined$/, '');
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

/** Where the value lies that the issue is about; for one that is missing, what it is missing in. */
function offsetOf(document: Document, issue: Issue): number {
  for (let length = issue.path.length; length >= 0; length -= 1) {
    const node = document.getIn(issue.path.slice(0, length), true);
    if (!isNode(node)) continue;
    return (issue.code === 'unrecognized_keys' ? keyOffset(node, issue.keys[0]) : undefined) ?? node.range?.[0] ?? 0;
  }
  return 0;
}

function keyOffset(node: unknown, key: string | undefined): number | undefined {
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isPair(item) && String(item.key) === key);
  return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
}
