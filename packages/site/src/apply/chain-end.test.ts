import { type Digest, digestFromHex, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { durableWrite } from '../durable-write.js';
import { plainJson } from '../plain-json.js';
import { createSiteKey } from '../site-key.js';
import { receiptFile, stateFolder } from '../state-folder.js';
import type { Site } from '../site.js';
import { FakeClock } from '../testing/fake-clock.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import { chainEnd } from './chain-end.js';
import { encodeRecord, EMPTY_HEAD } from './journal.js';
import { queueReceipt } from './receipt.js';
import { INITIAL_STATE, type OwedReceipt } from './state.js';

const folder = stateFolder('/state', '/state');
const owed: OwedReceipt = {
  ...{ event: 'installed', release: digestFromHex('a'.repeat(64)), waybill: null, previous: null, reason: null, checks: [] },
  at: '2026-11-24T10:00:00Z',
};

/** Three receipts: the first has arrived. */
async function threeReceipts(): Promise<{ disk: MemoryDisk; site: Pick<Site, 'world' | 'folder'>; digests: Digest[]; talk: string[] }> {
  const [disk, talk, digests] = [new MemoryDisk(), [] as string[], [] as Digest[]];
  const signer = createSiteKey(disk, folder.key);
  for (const seq of [1, 2, 3]) {
    const facts = { site: 'harbour-7', seq, prev: digests.at(-1) ?? null, hardware: {}, variables: {}, seenCheckpoint: null };
    const dir = seq === 1 ? folder.sentReceipts : folder.receipts;
    digests.push(await queueReceipt(disk, dir, owed, { ...facts, salt: '0'.repeat(32) }, signer));
  }
  const world = { disk, clock: new FakeClock(), talk: (line: string) => talk.push(line) } as unknown as Site['world'];
  return { disk, site: { world, folder }, digests, talk };
}

const recordOf = (event: object): string => new TextDecoder().decode(encodeRecord(EMPTY_HEAD, plainJson(event)).line);

test('goes on where the files end', async () => {
  const { site, digests } = await threeReceipts();
  expect(chainEnd(site, '')).toEqual({ seq: 3, prev: digests[2], sent: 1 });
});

test('one that was refused has had its number', async () => {
  const { site, disk, digests } = await threeReceipts();
  disk.makeFolder(folder.refusedReceipts);
  disk.rename(receiptFile(folder.receipts, 3), receiptFile(folder.refusedReceipts, 3));
  expect(chainEnd(site, '')).toEqual({ seq: 3, prev: digests[2], sent: 1 });
});

test('one that rotted is set aside, and the journal says what the next one names', async () => {
  const { site, disk, digests, talk } = await threeReceipts();
  const file = receiptFile(folder.receipts, 3);
  durableWrite(disk, file, utf8('{"mediaType":'));
  const queued = recordOf({ is: 'receipt-queued', seq: 3, digest: digests[2] });
  const snapshot = recordOf({ is: 'snapshot', state: { ...INITIAL_STATE, receipts: { seq: 3, prev: digests[2], sent: 1 } } });
  for (const journal of [queued, snapshot]) {
    durableWrite(disk, file, utf8('{"mediaType":'));
    expect(chainEnd(site, `damage\n${journal}`)).toEqual({ seq: 3, prev: digests[2], sent: 1 });
    expect(disk.kind(file)).toBe('nothing');
  }
  expect(talk).toContainEqual(expect.stringMatching(/^receipt 3 is damaged and lies in 00000003\.json\.damaged-/));
  expect(disk.kind(receiptFile(folder.receipts, 2))).toBe('file');
});

test('where nobody knows any more what it said, the next one names none', async () => {
  const { site, disk } = await threeReceipts();
  durableWrite(disk, receiptFile(folder.receipts, 3), utf8('rot'));
  expect(chainEnd(site, recordOf({ is: 'receipt-queued', seq: 30, digest: digestFromHex('b'.repeat(64)) }))).toEqual({
    seq: 3,
    prev: null,
    sent: 1,
  });
});

test('nor may one under the number of another one pass, and all that rotted in the queue is set aside', async () => {
  const { site, disk } = await threeReceipts();
  durableWrite(disk, receiptFile(folder.receipts, 2), disk.read(receiptFile(folder.receipts, 3), 1e6) ?? utf8(''));
  durableWrite(disk, receiptFile(folder.receipts, 3), utf8('rot'));
  chainEnd(site, '');
  expect(disk.list(folder.receipts).filter((name) => name.endsWith('.json'))).toEqual([]);
});
