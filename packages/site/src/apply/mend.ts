/** What is damaged, and mending a journal that does not add up: it is set aside, and the site waits for a person with a new one. Receipts go on where their chain ends. */
import path from 'node:path';
import { SiteError } from '@sealane/core';
import type { Site } from '../site.js';
import { plainJson } from '../plain-json.js';
import { chainEnd } from './chain-end.js';
import { MAX_JOURNAL_BYTES, openJournal, setAside } from './journal-file.js';
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
 * Sets the damaged journal aside and begins a new one, held; returns where the old one lies. What failed here before is forgotten with it, what was let
 * through once is not.
 */
export function mendJournal({ world, folder }: Pick<Site, 'world' | 'folder'>): string {
  const damaged = Buffer.from(world.disk.read(folder.journal, MAX_JOURNAL_BYTES) ?? []).toString('latin1');
  // read before anything is moved: what cannot be read must not leave the site without a journal
  const left = { ...notGivenBack(damaged), secrets: secretsOnDisk(world.disk, folder), receipts: chainEnd({ world, folder }, damaged) };
  const aside = setAside(world.disk, folder.journal, world.clock.wallTime());
  const message = `the journal was damaged and lies in ${path.basename(aside)}`;
  const state: SiteState = { ...INITIAL_STATE, ...left, phase: { at: 'held', code: 'STATE_CORRUPT', message, target: null } };
  openJournal(world.disk, folder.journal).append(plainJson({ is: 'snapshot', state }));
  return aside;
}
