/**
 * What a stranger may hand to a parser: arbitrary bytes, true documents bent as bytes and as JSON, and documents made to cost time or memory.
 * One place for all packages, so that every parser is tried with the same malice.
 *
 * `npm run fuzz` runs the same trials for `SEALANE_FUZZ_SECONDS` each, with another seed each time, and keeps what it finds in `test/vectors/corpus`, which
 * every parser is then tried with.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect } from 'vitest';
import { SealaneError } from '../../packages/core/src/errors.js';

/** A parser under trial. */
export interface Parser<T> {
  readonly parse: (bytes: Uint8Array) => T;
  /** The bytes of a parsed value, where the format has a writer: what is taken must come back byte for byte. */
  readonly write?: (value: T) => Uint8Array | string;
  /** True documents. */
  readonly samples: readonly (Uint8Array | string)[];
  /** The codes that it may refuse with. */
  readonly codes: RegExp;
  /** Runs of each property: fewer where a run checks signatures. */
  readonly runs?: number;
}

/** Words that have broken parsers before. */
const WORDS = [
  '__proto__',
  'constructor',
  '\u0000',
  '\ufeff',
  '\r\n',
  '\n\n',
  '\\ud800',
  '\u2028',
  '-1',
  '1e400',
  '9007199254740993',
  '0x10',
  'null',
  '[]',
  '{}',
  '""',
  '\u2014 ',
  '==',
];

const word = fc.constantFrom(...WORDS.map((text) => Buffer.from(text)));
const piece = fc.oneof(
  word,
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
);

/** A true document with a few places cut, doubled, overwritten or stuffed. */
function bentBytes(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    kind: fc.constantFrom('flip', 'cut', 'double', 'insert', 'truncate'),
    at: fc.nat(),
    length: fc.nat(64),
    by: piece,
  });
  return fc.tuple(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 3 })).map(([sample, edits]) => {
    let bytes = Buffer.from(sample);
    for (const { kind, at, length, by } of edits) {
      const from = at % (bytes.length + 1);
      const [head, part, tail] = [bytes.subarray(0, from), bytes.subarray(from, from + length), bytes.subarray(from + length)];
      if (kind === 'cut') bytes = Buffer.concat([head, tail]);
      else if (kind === 'double') bytes = Buffer.concat([head, part, part, tail]);
      else if (kind === 'insert') bytes = Buffer.concat([head, by, part, tail]);
      else if (kind === 'truncate') bytes = Buffer.from(head);
      else if (bytes.length > 0) bytes[from % bytes.length] = (bytes[from % bytes.length] ?? 0) ^ (1 + (length % 255));
    }
    return new Uint8Array(bytes);
  });
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Values that stand in for a true one. */
const nonsense = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<Json>(
    '',
    ' ',
    '../..',
    'a'.repeat(5000),
    -1,
    0.5,
    2 ** 53,
    1e308,
    [],
    {},
    null,
    true,
    '9999-12-31T23:59:60Z',
    `sha256:${'A'.repeat(64)}`,
  ),
) as fc.Arbitrary<Json>;

/** A JSON document with one value, anywhere in it, replaced, dropped or joined by another: still JSON, so the shape is what must refuse. */
function bentJson(samples: readonly Json[]): fc.Arbitrary<Json> {
  const how = fc.constantFrom('replace', 'drop', 'add');
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(fc.nat(), { maxLength: 6 }), how, nonsense, fc.string())
    .map(([sample, path, kind, value, key]) => bend(sample, path, kind, value, key));
}

function bend(value: Json, [step, ...rest]: readonly number[], kind: string, by: Json, key: string): Json {
  if (step === undefined || typeof value !== 'object' || value === null) return by;
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const at = step % (items.length + 1);
    if (kind === 'drop' && rest.length === 0) return items.filter((_, index) => index !== at);
    if (kind === 'add' && rest.length === 0) return [...items, ...items.slice(at), by];
    return items.map((item, index) => (index === at ? bend(item, rest, kind, by, key) : item));
  }
  const entries = Object.entries(value);
  const at = step % (entries.length + 1);
  if (kind === 'drop' && rest.length === 0) return Object.fromEntries(entries.filter((_, index) => index !== at));
  if (kind === 'add' && rest.length === 0) return Object.fromEntries([...entries, [key, by]]);
  return Object.fromEntries(entries.map(([name, item], index) => [name, index === at ? bend(item, rest, kind, by, key) : item]));
}

/** Documents that cost: long, deep, repetitive. A parser answers each at once. */
const COSTLY: readonly Uint8Array[] = [
  '['.repeat(50_000),
  `${'{"a":'.repeat(25_000)}1${'}'.repeat(25_000)}`,
  `"${'\\u0041'.repeat(12_000)}`,
  `[${'0,'.repeat(25_000)}0]`,
  `{${Array.from({ length: 5000 }, (_, n) => `"k${String(n)}":1`).join(',')}}`,
  '\n'.repeat(75_000),
  `${'a'.repeat(75_000)}\n`,
  `note\n\n${'\u2014 log AAAAAAAA\n'.repeat(5000)}`,
  `<testsuites>${'<testsuite>'.repeat(12_000)}`,
  `<a ${'x="1" '.repeat(12_000)}>`,
  '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]><a>&c;</a>',
  `${'-'.repeat(25_000)}${' '.repeat(25_000)}`,
].map((text) => new Uint8Array(Buffer.from(text)));

const CORPUS = fileURLToPath(new URL('../vectors/corpus/', import.meta.url));

/** What once broke a parser: it may break another. */
const found: readonly Uint8Array[] = (existsSync(CORPUS) ? readdirSync(CORPUS) : []).map(
  (name) => new Uint8Array(readFileSync(`${CORPUS}${name}`)),
);

/** How long each property is tried when fuzzing; 0 = so many runs as the trial says. */
const FUZZ_MS = Number(process.env['SEALANE_FUZZ_SECONDS'] ?? 0) * 1000;

/** Parameters of one of `properties` properties: so many runs, or so much time. What is found by time is kept. */
function effort(runs: number, properties: number): fc.Parameters<[Uint8Array]> {
  if (FUZZ_MS === 0) return { numRuns: runs };
  return {
    numRuns: Number.MAX_SAFE_INTEGER,
    plugins: [fc.interruptAfterTimeLimit(FUZZ_MS / properties) as fc.Plugin<[Uint8Array]>, keepFound],
  };
}

const keepFound: fc.Plugin<[Uint8Array]> = () => ({
  onAllRunsComplete: (outcome) => {
    const [input] = outcome.failed ? (outcome.counterexample ?? []) : [];
    if (input !== undefined)
      throw new Error(`${fc.defaultReportMessage(outcome) ?? ''}\nkept as ${keep(input)}`, { cause: outcome.errorInstance });
  },
});

function keep(input: Uint8Array): string {
  const file = `${CORPUS}${createHash('sha256').update(input).digest('hex').slice(0, 16)}`;
  mkdirSync(CORPUS, { recursive: true });
  writeFileSync(file, input);
  return file;
}

/** Characters that would draw on a terminal, or end a line of a log. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const DRAWS = /[\u0000-\u001f\u007f-\u009f]/;

/** Longest that one costly document may take here: a thousand times what it takes, also on a busy machine. */
const MAX_COST_MS = 10_000;

/** Tries a parser with everything above. It may take or refuse, with a code of its own; anything else it throws is a crash and fails. */
export function tryParser<T>({ parse, write, samples, codes, runs = 100 }: Parser<T>): void {
  const documents = samples.map((sample) => new Uint8Array(Buffer.from(sample)));
  const check = (bytes: Uint8Array): void => {
    const value = attempt(() => parse(bytes), codes);
    if (value !== undefined && write !== undefined)
      expect(Buffer.from(write(value.taken)).toString('latin1')).toBe(Buffer.from(bytes).toString('latin1'));
  };
  for (const document of documents) {
    // a sample that is not taken would make the rest say nothing
    expect(
      attempt(() => parse(document), codes),
      Buffer.from(document).toString().slice(0, 200),
    ).not.toBeUndefined();
    check(document);
  }
  const inputs = hostileTo(documents);
  for (const input of inputs) fc.assert(fc.property(input, check), effort(runs, inputs.length));
  for (const document of [...COSTLY, ...found]) {
    const begin = performance.now();
    check(document);
    expect(performance.now() - begin).toBeLessThan(MAX_COST_MS);
  }
}

/** A reader that takes its time: of streams, or through the web's cryptography. */
export interface Reader {
  readonly read: (bytes: Uint8Array) => Promise<unknown>;
  readonly samples: readonly Uint8Array[];
  readonly codes: RegExp;
  readonly runs?: number;
}

/** As `tryParser`. */
export async function tryReader({ read, samples, codes, runs = 100 }: Reader): Promise<void> {
  const check = async (bytes: Uint8Array): Promise<boolean> => {
    try {
      await read(bytes);
      return true;
    } catch (error) {
      expectRefusal(error, codes);
      return false;
    }
  };
  for (const sample of samples) expect(await check(sample)).toBe(true);
  const inputs = hostileTo(samples);
  const tried = async (bytes: Uint8Array): Promise<void> => void (await check(bytes));
  for (const input of inputs) await fc.assert(fc.asyncProperty(input, tried), effort(runs, inputs.length));
  for (const document of [...COSTLY, ...found]) {
    const begin = performance.now();
    await check(document);
    expect(performance.now() - begin).toBeLessThan(MAX_COST_MS);
  }
}

/** Arbitrary bytes, true documents bent as bytes, and those that are JSON bent as such. */
function hostileTo(documents: readonly Uint8Array[]): readonly fc.Arbitrary<Uint8Array>[] {
  const trees = documents.map(asJson).filter((tree) => tree !== undefined);
  const respelt = trees.length === 0 ? undefined : bentJson(trees).map((tree) => new Uint8Array(Buffer.from(JSON.stringify(sorted(tree)))));
  return [fc.uint8Array({ maxLength: 256 }), bentBytes(documents), ...(respelt === undefined ? [] : [respelt])];
}

function attempt<T>(parse: () => T, codes: RegExp): { readonly taken: T } | undefined {
  try {
    return { taken: parse() };
  } catch (error) {
    expectRefusal(error, codes);
    return undefined;
  }
}

function expectRefusal(error: unknown, codes: RegExp): void {
  if (!(error instanceof SealaneError)) throw error;
  expect(error.code, error.message).toMatch(codes);
  // what is said of a document is for a line of a log, not the document again
  expect(error.message.length).toBeLessThan(2001);
  expect(error.message).not.toMatch(DRAWS);
}

function asJson(document: Uint8Array): Json | undefined {
  try {
    return JSON.parse(Buffer.from(document).toString()) as Json;
  } catch {
    // notes and paths are no JSON: they are bent as bytes only
    return undefined;
  }
}

/** Keys in the order of RFC 8785, so that a bent tree gets past a parser that wants canonical bytes. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
