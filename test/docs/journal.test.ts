/** docs/formats/journal.md: this version writes the journal that lies beside the tests, and reads those of the versions before and after it as the page says. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canonicalJson, concatBytes, type JsonObject, type JsonValue } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMPTY_HEAD, encodeRecord, parseJournal } from '../../packages/site/src/apply/journal.js';
import { openMachine, readState } from '../../packages/site/src/apply/machine.js';
import { INITIAL_STATE } from '../../packages/site/src/apply/state.js';
import { nodeDisk } from '../../packages/site/src/disk.js';
import { plainJson } from '../../packages/site/src/plain-json.js';
import { ROOT } from '../support/run.js';
import { everyRecord, KINDS } from './journal-records.js';
import { named, pageText, tableRows } from './pages.js';

/** One journal and its state for each version. Those of a version that is out are never written again. */
const VECTORS = path.join(ROOT, 'test', 'vectors', 'journals');
const { version } = JSON.parse(readFileSync(path.join(ROOT, 'packages', 'site', 'package.json'), 'utf8')) as { readonly version: string };
const versions = readdirSync(VECTORS).flatMap((name) => (name.endsWith('.jsonl') ? [name.slice(0, -'.jsonl'.length)] : []));

let dir: string;
let file: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-journal-'));
  file = path.join(dir, 'journal');
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const vector = (name: string): Uint8Array => readFileSync(path.join(VECTORS, name));
const eventsOf = (of: string): readonly JsonObject[] => parseJournal(vector(`${of}.jsonl`)).records.map(({ event }) => event);

/** The bytes of a journal of these events. */
function journalOf(events: readonly JsonObject[]): Uint8Array {
  let head = EMPTY_HEAD;
  return concatBytes(
    ...events.map((event) => {
      const next = encodeRecord(head, event);
      head = next.head;
      return next.line;
    }),
  );
}

/** The state that a site makes of these events when it opens its journal. */
function stateFrom(events: readonly JsonObject[]): JsonObject {
  writeFileSync(file, journalOf(events));
  return plainJson(readState(nodeDisk, file));
}

/** As a later version may write it: one field more in each object, at every depth. */
function withMore(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map(withMore);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return { ...Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withMore(inner)])), addedLater: 'yes' };
}

function withoutMore(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map(withoutMore);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const known = Object.entries(value).filter(([key]) => key !== 'addedLater');
  return Object.fromEntries(known.map(([key, inner]) => [key, withoutMore(inner)]));
}

test('this version writes each kind of record as it lies beside the tests, and the page names each', async () => {
  const events = everyRecord();
  expect([...new Set(events.map(({ is }) => is))].sort()).toEqual(Object.keys(KINDS).sort());
  const records = pageText('docs/formats/journal.md').split('\n## Records\n')[1]?.split('\n## ')[0] ?? '';
  expect(
    tableRows(records)
      .map(([name]) => named(name))
      .sort(),
  ).toEqual(Object.keys(KINDS).sort());
  const bytes = journalOf(events.map(plainJson));
  await expect(new TextDecoder().decode(bytes)).toMatchFileSnapshot(path.join(VECTORS, `${version}.jsonl`));
  await expect(`${JSON.stringify(stateFrom(events.map(plainJson)), null, 1)}\n`).toMatchFileSnapshot(
    path.join(VECTORS, `${version}.state.json`),
  );
});

describe.for(versions.map((of) => ({ of })))('a journal of version $of', ({ of }) => {
  test('gives the state that it gave then, but for what has come since', () => {
    const state = JSON.parse(new TextDecoder().decode(vector(`${of}.state.json`))) as JsonObject;
    expect(stateFrom(eventsOf(of))).toEqual({ ...plainJson(INITIAL_STATE), ...state });
  });

  test('with fields more, as the version after it may write them, gives the same state, is added to, and keeps them when it is compacted', () => {
    const events = eventsOf(of);
    const state = stateFrom(events);
    const more = stateFrom(events.map((event) => withMore(event) as JsonObject));
    expect(more['addedLater']).toBe('yes');
    expect(withoutMore(more)).toEqual(state);
    const machine = openMachine(nodeDisk, file);
    machine.record({ is: 'hold', hold: { reason: 'crane works', at: '2026-11-25T10:00:00Z', until: null } });
    const compacted = stateFrom([plainJson({ is: 'snapshot', state: machine.state() })]);
    expect(compacted).toEqual(plainJson(machine.state()));
    expect(compacted).toMatchObject({ addedLater: 'yes', hold: { reason: 'crane works' } });
  });

  test.for(Object.keys(INITIAL_STATE).map((field) => ({ field })))(
    'a snapshot without $field, of the version before it, is one of a site that has none',
    ({ field }) => {
      const { [field]: _gone, ...known } = stateFrom(eventsOf(of));
      const initial = plainJson(INITIAL_STATE)[field] ?? null;
      expect(stateFrom([{ is: 'snapshot', state: known }])).toEqual({ ...known, [field]: initial });
    },
  );
});

test('a record of a kind that this version does not know stops everything: it could be the one that matters', () => {
  const events = eventsOf(version);
  expect(() => stateFrom([...events, { is: 'added-later' }])).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
  const before = readFileSync(file);
  expect(() => openMachine(nodeDisk, file)).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('a record is canonical JSON: its checksum is over the bytes of what it says', () => {
  const [line = ''] = new TextDecoder().decode(vector(`${version}.jsonl`)).split('\n');
  expect(new TextDecoder().decode(canonicalJson(JSON.parse(line) as JsonObject))).toBe(line);
});
