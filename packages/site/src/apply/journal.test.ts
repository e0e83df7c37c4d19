import { type JsonObject, SiteError, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryDisk, PowerCut } from '../testing/memory-disk.js';
import { EMPTY_HEAD, encodeRecord, parseJournal } from './journal.js';
import { openJournal, readJournal } from './journal-file.js';

const FILE = '/state/journal';

function journalOf(events: readonly JsonObject[]): { readonly bytes: Uint8Array; readonly ends: readonly number[] } {
  let head = EMPTY_HEAD;
  let bytes = new Uint8Array();
  const ends = [0];
  for (const event of events) {
    const next = encodeRecord(head, event);
    bytes = new Uint8Array([...bytes, ...next.line]);
    head = next.head;
    ends.push(bytes.length);
  }
  return { bytes, ends };
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof SiteError ? error.code : String(error);
  }
  return undefined;
}

const events = [{ is: 'admitted', n: 1 }, { is: 'staged' }, { is: 'switching', text: 'grüße\n' }];

test('reads back the events in order', () => {
  const { bytes } = journalOf(events);
  expect(parseJournal(bytes).records.map((record) => record.event)).toEqual(events);
});

test('cuts a torn tail at every byte back to the last whole record, on disk too', () => {
  const { bytes, ends } = journalOf(events);
  for (let size = 0; size < bytes.length; size += 1) {
    const whole = ends.filter((end) => end <= size).at(-1) ?? 0;
    const disk = new MemoryDisk();
    disk.writeQuietly(FILE, bytes.slice(0, size));
    const journal = openJournal(disk, FILE);
    // a record whose newline alone is missing is judged by the next test
    expect(journal.records.length).toBe(ends.indexOf(whole));
    expect(disk.bytes(FILE)?.length).toBe(whole);
    journal.append({ is: 'next' });
    expect(readJournal(disk, FILE).at(-1)?.event).toEqual({ is: 'next' });
  }
});

test('takes zeros at the end for a torn append, with a newline after them too', () => {
  const { bytes } = journalOf(events);
  for (const tail of ['\0\0\0\0', '\0\0\0\n', '{"ev\0\0\n']) {
    const contents = parseJournal(new Uint8Array([...bytes, ...utf8(tail)]));
    expect(contents).toMatchObject({ torn: true, wholeBytes: bytes.length });
  }
});

test('refuses every single flipped bit of acknowledged records, and leaves the file as it is', () => {
  const { bytes } = journalOf(events);
  const lost: number[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const damaged = bytes.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const code = codeOf(() => parseJournal(damaged));
    if (code !== 'STATE_CORRUPT') lost.push(bit);
  }
  expect(lost).toEqual([]);
});

test('refuses a record taken out, repeated or moved', () => {
  const { bytes, ends } = journalOf(events);
  const line = (index: number): readonly number[] => [...bytes.slice(ends[index], ends[index + 1])];
  for (const order of [
    [0, 2],
    [1, 2],
    [0, 0, 1, 2],
    [0, 2, 1],
  ]) {
    expect(codeOf(() => parseJournal(new Uint8Array(order.flatMap(line))))).toBe('STATE_CORRUPT');
  }
});

test('takes arbitrary bytes for torn, corrupt or nothing, and never for records', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const code = codeOf(() => expect(parseJournal(bytes).records).toEqual([]));
      expect([undefined, 'STATE_CORRUPT']).toContain(code);
    }),
  );
});

test('keeps every acknowledged record over a power cut at every operation', () => {
  for (let cutAt = 1; cutAt < 12; cutAt += 1) {
    const disk = new MemoryDisk();
    disk.cutAt = cutAt;
    let acknowledged = 0;
    try {
      const journal = openJournal(disk, FILE);
      for (const event of events) {
        journal.append(event);
        acknowledged += 1;
      }
    } catch (error) {
      expect(error).toBeInstanceOf(PowerCut);
    }
    disk.cut();
    expect(readJournal(disk, FILE).length).toBeGreaterThanOrEqual(acknowledged);
  }
});

test('is whole after an append that failed for want of space', () => {
  const disk = new MemoryDisk();
  const journal = openJournal(disk, FILE);
  journal.append({ is: 'first' });
  disk.failAt = { at: disk.operations + 1, code: 'ENOSPC' };
  expect(() => {
    journal.append({ is: 'lost' });
  }).toThrow('ENOSPC');
  journal.append({ is: 'second' });
  expect(readJournal(disk, FILE).map((record) => record.event['is'])).toEqual(['first', 'second']);
});

test('compacts to one record that goes on being a journal', () => {
  const disk = new MemoryDisk();
  const journal = openJournal(disk, FILE);
  for (const event of events) journal.append(event);
  journal.compact({ is: 'snapshot' });
  journal.append({ is: 'after' });
  expect(openJournal(disk, FILE).records.map((record) => record.event['is'])).toEqual(['snapshot', 'after']);
});
