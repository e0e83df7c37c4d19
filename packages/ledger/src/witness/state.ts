/** What a witness remembers, on disk: for each log the last checkpoint it cosigned, under its own signature. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { hex, LedgerError, LIMITS, parseCheckpoint, SealaneError, sha256Raw, utf8, verifyCosignatures, type Vkey } from '@sealane/core';
import { writeDurably } from '../durable-write.js';
import { reached } from '../points.js';
import type { Remembered } from './judge.js';

/** A checkpoint that this witness cosigned, as a note with its log's signature and ours. */
export interface Cosigned extends Remembered {
  readonly note: string;
}

/** What is remembered, by log. */
export interface WitnessState {
  get(log: Vkey): Cosigned | undefined;
  /** By the hex SHA-256 of the origin, as the monitoring URL names it. */
  byOriginHash(hash: string): Cosigned | undefined;
  /** Durable when it returns. */
  remember(log: Vkey, note: string): void;
}

/** Hex SHA-256 of a log's origin (C2SP tlog-witness, monitor retrieval). */
function originHash(log: Vkey): string {
  return hex(sha256Raw(utf8(log.name)));
}

/**
 * Reads the state of a folder. A damaged file stops the witness: forgetting would let a fork through.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`
 */
export function openWitnessState(folder: string, logs: readonly Vkey[], witness: Vkey): WitnessState {
  const fileOf = (log: Vkey): string => path.join(folder, `${originHash(log)}.checkpoint`);
  const seen = new Map<string, Cosigned>();
  for (const log of logs) {
    const cosigned = readCosigned(fileOf(log), log, witness);
    if (cosigned !== undefined) seen.set(originHash(log), cosigned);
  }
  return {
    get: (log) => seen.get(originHash(log)),
    byOriginHash: (hash) => seen.get(hash),
    remember: (log, note) => {
      const { size, root } = parseCheckpoint(note);
      writeDurably({ path: fileOf(log), bytes: utf8(note), mode: 0o600 });
      seen.set(originHash(log), { size, root, note });
      reached('witness:persisted');
    },
  };
}

function readCosigned(file: string, log: Vkey, witness: Vkey): Cosigned | undefined {
  let note: string;
  try {
    note = readFileSync(file, 'utf8').slice(0, LIMITS.checkpointBytes);
  } catch (error) {
    // the first start: nothing of this log was seen yet
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { origin, size, root } = parseCheckpoint(note);
    if (origin === log.name && verifyCosignatures(note, [witness]).length === 1) return { size, root, note };
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw damaged(file, log, witness, cause);
  }
  throw damaged(file, log, witness);
}

function damaged(file: string, log: Vkey, witness: Vkey, cause?: unknown): LedgerError {
  const message = `read what the witness remembers ${file}: expected a checkpoint of ${log.name} cosigned by ${witness.name}, got something else`;
  return new LedgerError(
    'LEDGER_UNREADABLE',
    message,
    { file },
    { cause, hint: 'a witness that has forgotten must not go on under its key: give it a new key and a new folder' },
  );
}
