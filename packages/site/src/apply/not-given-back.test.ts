import { type Digest, digestFromHex } from '@sealane/core';
import { expect, test } from 'vitest';
import { plainJson } from '../plain-json.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import { openJournal } from './journal-file.js';
import { notGivenBack } from './not-given-back.js';
import { INITIAL_STATE, type SiteEvent, type Target } from './state.js';

const digest = (letter: string): Digest => digestFromHex(letter.repeat(64));
const nonce = (letter: string): string => letter.repeat(32);
const target = (counter: number, more: Partial<Target> = {}): Target => ({
  release: digest('a'),
  name: 'svc',
  version: '1',
  waybill: digest('e'),
  counter,
  cause: 'update',
  ...more,
});
const EVENTS: readonly SiteEvent[] = [
  { is: 'snapshot', state: { ...INITIAL_STATE, spent: [nonce('1'), nonce('2')], oneWayFloor: 3 } },
  { is: 'admitted', target: target(7, { exception: { nonce: nonce('3'), statements: [digest('b')] } }) },
  { is: 'saved' },
  { is: 'role-used', nonce: nonce('4'), person: 'carol', verb: 'stop', at: '2026-11-24T10:00:00Z' },
  { is: 'admitted', target: target(9) },
];

/** The journal's text, each word of `from` written otherwise, so that its record is damaged. */
function journalText(events: readonly SiteEvent[], from?: string): string {
  const disk = new MemoryDisk();
  const journal = openJournal(disk, '/journal');
  for (const event of events) journal.append(plainJson(event));
  const text = new TextDecoder().decode(disk.bytes('/journal'));
  return from === undefined ? text : text.replace(from, from.replace(/.$/, '#'));
}

test('exceptions that were taken in or used, and what parts without a way back were begun of', () => {
  expect(notGivenBack(journalText(EVENTS))).toEqual({ spent: [nonce('1'), nonce('2'), nonce('3'), nonce('4')], oneWayFloor: 7 });
});

test.each(['"seq":1', '"version":"1"', '"person":"carol"', '"at":"2026'])('whatever else of a record is damaged: %s', (from) => {
  expect(notGivenBack(journalText(EVENTS, from))).toEqual(notGivenBack(journalText(EVENTS)));
});

test('nothing where there was nothing', () => {
  expect(notGivenBack('')).toEqual({ spent: [], oneWayFloor: 0 });
  expect(notGivenBack(journalText([{ is: 'admitted', target: target(9) }]))).toEqual({ spent: [], oneWayFloor: 0 });
});
