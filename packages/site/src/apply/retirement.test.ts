import { digestFromHex } from '@sealane/core';
import { expect, test } from 'vitest';
import { receiptFile, stateFolder } from '../state-folder.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import { openMachine } from './machine.js';
import { leaveRetirement } from './retirement.js';
import { INITIAL_STATE } from './state.js';

const folder = stateFolder('/state');

/** A site that was retired, with receipts 1 and 2 in its queue, of which so many have arrived. */
function retired(sent: number): MemoryDisk {
  const disk = new MemoryDisk();
  const retirement = { statement: digestFromHex('a'.repeat(64)), keyId: 'b'.repeat(64), reason: 'sold' };
  const receipts = { seq: 2, prev: digestFromHex('c'.repeat(64)), sent };
  openMachine(disk, folder.journal).record({ is: 'snapshot', state: { ...INITIAL_STATE, phase: { at: 'retired', retirement }, receipts } });
  for (const seq of [1, 2]) disk.writeQuietly(receiptFile(folder.receipts, seq), new Uint8Array([seq]));
  return disk;
}

test.each([
  [0, ['00000001.json', '00000002.json']],
  [1, ['00000002.json']],
  [2, []],
])('of what was retired, receipts that nobody took are set aside; %i had arrived and were not moved yet', (sent, names) => {
  const disk = retired(sent);
  const aside = leaveRetirement(disk, folder, openMachine(disk, folder.journal));
  expect(aside === undefined ? [] : disk.list(aside)).toEqual(names);
  expect(disk.list(folder.receipts).filter((name) => name.endsWith('.json'))).toEqual([]);
  expect(openMachine(disk, folder.journal).state()).toEqual(INITIAL_STATE);
});
