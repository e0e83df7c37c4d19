/**
 * The log's key, while another takes its place: both sign its checkpoints from the proposal on; when the owners have published, the ledger is handed over.
 * What is asked first is whether the witnesses know the new key, since after that no other will do.
 */
import {
  equalBytes,
  formatVkey,
  isBy,
  keyIdOf,
  NOTE_KEY_TYPE,
  parseCheckpoint,
  parseNote,
  parseVkey,
  PromoterError,
  signatureLine,
  makeVkey,
} from '@sealane/core';
import { logKeySpki, parsePolicy } from '@sealane/trust';
import { durableWrite, PUBLIC_FILE } from '../disk-shell.js';
import { cosignatures, hasQuorum } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { storedKeys } from '../signers/key-store.js';
import type { Proposal } from './proposal.js';

/** Name of the key of the log in a home. */
export const LOG_KEY = 'log';

/** The key that the log is to have: the next one where there is one. */
export function wantedLogVkey({ home, lane, logVkey }: Pick<Promoter, 'home' | 'lane' | 'logVkey'>): string {
  const next = storedKeys(home).find(({ name, state }) => name === LOG_KEY && state === 'next');
  if (next === undefined) return logVkey;
  const vkey = makeVkey(lane.origin, NOTE_KEY_TYPE.ed25519, next.spki.subarray(-32));
  if (equalBytes(logKeySpki(vkey), next.spki)) return formatVkey(vkey);
  throw new PromoterError('KEY_MALFORMED', `read the next key of the log ${next.file}: expected Ed25519, got another kind`, {
    file: next.file,
  });
}

/** The key of the lane's log by a proposal; undefined when it changes no policy. */
export function proposedLogVkey({ files, lane }: Proposal): string | undefined {
  const [policy] = [...files].filter(([name]) => name.startsWith('policy/')).map(([, bytes]) => parsePolicy(bytes));
  return policy?.logs.find(({ origin }) => origin === lane)?.vkey;
}

/** The id (hex SHA-256 of SPKI) of a log's key. */
export function logKeyId(vkey: string): string {
  return keyIdOf(logKeySpki(parseVkey(vkey)));
}

/** Writes HOME/log.vkey: what witnesses of this log are told. Two lines while its key is being replaced: they take either. */
export function writeLogVkeys({ home }: Pick<Promoter, 'home'>, vkeys: readonly string[]): void {
  durableWrite(home.logVkey, new TextEncoder().encode(vkeys.map((vkey) => `${vkey}\n`).join('')), PUBLIC_FILE);
}

/**
 * Has the head of the log witnessed under the next key alone, and saves it under both keys.
 *
 * @throws PromoterError `KEY_NOT_NAMED` that key is not here; `LOG_KEY_UNKNOWN` (exit 5) too few witnesses know it
 */
export async function witnessNextKey(promoter: Promoter, next: string): Promise<void> {
  const { ledger } = promoter;
  const note = await ledger.checkpointNote();
  const { text, signatures } = parseNote(note);
  const line = signatures.find((signature) => isBy(signature, parseVkey(next)));
  if (line === undefined)
    throw new PromoterError('KEY_NOT_NAMED', `sign as the log: expected the private half of its next key, ${next}, got none`);
  const alone = `${text}\n${signatureLine(line.name, line.keyHash, line.blob)}`;
  const { size } = parseCheckpoint(note);
  const lines = (await cosignatures(promoter, alone, size, size)).join('');
  if (!hasQuorum(promoter, alone + lines, next, 'proposed')) {
    const message = `witness the log of ${promoter.lane.origin} under its next key: expected ${promoter.pipeline.quorum} witnesses that know it, got fewer`;
    throw new PromoterError('LOG_KEY_UNKNOWN', message, { vkey: next });
  }
  await ledger.saveCosigned(note + lines);
}
