/** A ledger in a place of its own, with a log key, a witness key and a clock that stands still. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cosign, parseCheckpoint } from '@sealane/core';
import type { Ledger } from '../ledger.js';
import { ed25519NoteSigner, type NoteSigner } from '../note-signer.js';
import { openLedger } from '../open-ledger.js';
import type { LedgerPlace } from '../store/place.js';

/** Origin of every test log. */
export const ORIGIN = 'lane.example';
/** The time of every test clock. */
export const NOW = '2026-11-24T10:00:00Z';
const NOW_SECONDS = Date.parse(NOW) / 1000;

/** Folder, keys, and how to open the ledger in it. */
export interface TestHome {
  readonly folder: string;
  readonly place: LedgerPlace;
  readonly signer: NoteSigner;
  readonly witnessKey: KeyObject;
  open(): Promise<Ledger>;
  openAt(place: LedgerPlace): Promise<Ledger>;
  /** A backup of the ledger, which must not be open. */
  backup(): Promise<LedgerPlace>;
  /** The rows as they were when the backup was made; the anchor stays as it is. */
  restore(backup: LedgerPlace): Promise<void>;
  /** The note with the test witness's cosignature. */
  cosigned(note: string, timeSeconds?: number): string;
  remove(): Promise<void>;
}

/** Makes a home whose ledger is an SQLite file. */
export function testHome(): TestHome {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-ledger-'));
  const file = path.join(folder, 'ledger.sqlite');
  return homeIn(
    folder,
    { file },
    {
      backup: async (home) => {
        const backup = path.join(folder, 'backup.sqlite');
        const ledger = await home.open();
        await ledger.copyTo(backup);
        await ledger.close();
        return { file: backup };
      },
      restore: (backup) => {
        copyFileSync(backup.file, file);
        return Promise.resolve();
      },
      remove: () => Promise.resolve(),
    },
  );
}

/** What differs between databases. */
interface HomeStore {
  backup(home: TestHome): Promise<LedgerPlace>;
  restore(backup: LedgerPlace): Promise<void>;
  remove(): Promise<void>;
}

/** A home in `folder` whose ledger is at `place`. */
export function homeIn(folder: string, place: LedgerPlace, store: HomeStore): TestHome {
  const signer = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
  const witnessKey = generateKeyPairSync('ed25519').privateKey;
  const openAt = (at: LedgerPlace): Promise<Ledger> => openLedger({ ...at, origin: ORIGIN, logSigner: signer, now: () => NOW });
  const home: TestHome = {
    folder,
    place,
    signer,
    witnessKey,
    open: () => openAt(place),
    openAt,
    backup: () => store.backup(home),
    restore: (backup) => store.restore(backup),
    cosigned: (note, timeSeconds = NOW_SECONDS) =>
      note + cosign({ name: 'witness.example', privateKey: witnessKey }, parseCheckpoint(note).text, timeSeconds),
    remove: async () => {
      await store.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return home;
}
