/** A journal that is mended is there whenever the power goes, and the chain of receipts goes on. */
import { type Digest, digestFromHex, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { durableWrite } from '../durable-write.js';
import { plainJson } from '../plain-json.js';
import { createSiteKey } from '../site-key.js';
import type { Site } from '../site.js';
import { receiptFile, stateFolder } from '../state-folder.js';
import { FakeClock } from '../testing/fake-clock.js';
import { MemoryDisk, PowerCut } from '../testing/memory-disk.js';
import { encodeRecord, EMPTY_HEAD } from './journal.js';
import { readState } from './machine.js';
import { journalFault, mendJournal } from './mend.js';
import { queueReceipt } from './receipt.js';
import type { OwedReceipt } from './state.js';

const folder = stateFolder('/state', '/state');
const owed: OwedReceipt = {
  ...{ event: 'installed', release: digestFromHex('a'.repeat(64)), waybill: null, previous: null, reason: null, checks: [] },
  at: '2026-11-24T10:00:00Z',
};

/** Two receipts, of which the last one rotted; the journal is damaged after it. */
async function damaged(): Promise<{ disk: MemoryDisk; site: Pick<Site, 'world' | 'folder'>; last: Digest }> {
  const disk = new MemoryDisk();
  const signer = createSiteKey(disk, folder.key);
  const facts = { site: 'harbour-7', hardware: {}, variables: {}, seenCheckpoint: null, salt: '0'.repeat(32) };
  const first = await queueReceipt(disk, folder.receipts, owed, { ...facts, seq: 1, prev: null }, signer);
  const last = await queueReceipt(disk, folder.receipts, owed, { ...facts, seq: 2, prev: first }, signer);
  durableWrite(disk, receiptFile(folder.receipts, 2), utf8('rot'));
  const { line } = encodeRecord(EMPTY_HEAD, plainJson({ is: 'receipt-queued', seq: 2, digest: last }));
  durableWrite(disk, folder.journal, Buffer.concat([line, utf8('damage\n'), line]));
  const world = { disk, clock: new FakeClock(), talk: () => undefined } as unknown as Site['world'];
  return { disk, site: { world, folder }, last };
}

test('whenever the power goes there is a journal, and mended again it goes on with the number after the last', async () => {
  let cuts = 0;
  for (let at = 1; ; at += 1) {
    const { disk, site, last } = await damaged();
    disk.cutAt = disk.operations + at;
    let isCut = false;
    try {
      mendJournal(site);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      isCut = true;
    }
    disk.cut();
    expect(disk.kind(folder.journal), `cut ${at}`).toBe('file');
    if (journalFault(site) !== undefined) mendJournal(site);
    const { receipts, phase } = readState(disk, folder.journal);
    expect({ at, receipts, phase: phase.at }).toEqual({ at, receipts: { seq: 2, prev: last, sent: 0 }, phase: 'held' });
    expect(disk.list('/state').filter((name) => name.startsWith('journal.')).length, `cut ${at}`).toBeGreaterThan(0);
    if (!isCut) break;
    cuts += 1;
  }
  expect(cuts).toBeGreaterThan(6);
});
