/** What is damaged, and mending a journal that does not add up: it is kept aside, and the site waits for a person with a new one. Receipts go on where their chain ends. */
import path from 'node:path';
import { SiteError } from '@sealane/core';
import type { Site } from '../site.js';
import { durableWrite } from '../durable-write.js';
import { plainJson } from '../plain-json.js';
import { chainEnd } from './chain-end.js';
import { EMPTY_HEAD, encodeRecord } from './journal.js';
import { asideOf, MAX_JOURNAL_BYTES } from './journal-file.js';
import { readState } from './machine.js';
import { notGivenBack } from './not-given-back.js';
import { secretsOnDisk } from './secret-files.js';
import { INITIAL_STATE, type SiteState } from './state.js';
import { readTrustFile } from './trust-file.js';

/** What is wrong with the journal, or undefined: its bytes, or records of which this program can make no state. */
export function journalFault({ world, folder }: Pick<Site, 'world' | 'folder'>): string | undefined {
  return faultOf(() => readState(world.disk, folder.journal));
}

/** What is wrong with the file of verified trust, or undefined. */
export function trustFault({
  world,
  folder,
}: {
  readonly world: Pick<Site['world'], 'disk'>;
  readonly folder: Site['folder'];
}): string | undefined {
  return faultOf(() => readTrustFile(world.disk, folder.trust));
}

function faultOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof SiteError && error.code === 'STATE_CORRUPT') return error.message;
    throw error;
  }
}

/**
 * Keeps the damaged journal aside and puts a new one, held, in its place; returns where the old one lies. What failed here before is forgotten with it,
 * what was let through once is not. Killed anywhere, the site has the one or the other.
 */
export function mendJournal({ world, folder }: Pick<Site, 'world' | 'folder'>): string {
  const { disk, clock } = world;
  const damaged = disk.read(folder.journal, MAX_JOURNAL_BYTES) ?? new Uint8Array();
  const text = Buffer.from(damaged).toString('latin1');
  const left = { ...notGivenBack(text), secrets: secretsOnDisk(disk, folder), receipts: chainEnd({ world, folder }, text) };
  const aside = asideOf(folder.journal, clock.wallTime());
  durableWrite(disk, aside, damaged);
  const message = `the journal was damaged and lies in ${path.basename(aside)}`;
  const state: SiteState = { ...INITIAL_STATE, ...left, phase: { at: 'held', code: 'STATE_CORRUPT', message, target: null } };
  durableWrite(disk, folder.journal, encodeRecord(EMPTY_HEAD, plainJson({ is: 'snapshot', state })).line);
  return aside;
}
