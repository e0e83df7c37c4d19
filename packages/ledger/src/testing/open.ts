/** A ledger in a folder of its own, with a log key, a witness key and a clock that stands still. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cosign, parseCheckpoint } from '@sealane/core';
import type { Ledger } from '../ledger.js';
import { ed25519NoteSigner, type NoteSigner } from '../note-signer.js';
import { openLedger } from '../open-ledger.js';

/** Origin of every test log. */
export const ORIGIN = 'lane.example';
/** The time of every test clock. */
export const NOW = '2026-11-24T10:00:00Z';
const NOW_SECONDS = Date.parse(NOW) / 1000;

/** Folder, keys, and how to open the ledger in it. */
export interface TestHome {
  readonly folder: string;
  readonly file: string;
  readonly signer: NoteSigner;
  readonly witnessKey: KeyObject;
  open(): Promise<Ledger>;
  openCopy(file: string): Promise<Ledger>;
  /** The note with the test witness's cosignature. */
  cosigned(note: string, timeSeconds?: number): string;
  remove(): void;
}

/** Makes a home. */
export function testHome(): TestHome {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-ledger-'));
  const file = path.join(folder, 'ledger.sqlite');
  const signer = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
  const witnessKey = generateKeyPairSync('ed25519').privateKey;
  const openCopy = (copy: string): Promise<Ledger> => openLedger({ file: copy, origin: ORIGIN, logSigner: signer, now: () => NOW });
  return {
    folder,
    file,
    signer,
    witnessKey,
    open: () => openCopy(file),
    openCopy,
    cosigned: (note, timeSeconds = NOW_SECONDS) =>
      note + cosign({ name: 'witness.example', privateKey: witnessKey }, parseCheckpoint(note).text, timeSeconds),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
