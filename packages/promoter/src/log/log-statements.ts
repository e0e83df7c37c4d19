/** Into the log and out of it again with a proof: append, have witnesses cosign, make bundles. */
import {
  envelopePayload,
  type JsonObject,
  logId,
  parseCheckpoint,
  parseStatement,
  parseVkey,
  PromoterError,
  SealaneError,
  type Signed,
  type Signer,
  signStatement,
  type Statement,
  verifyQuorum,
} from '@sealane/core';
import type { AppendResult, Ledger, LedgerEntry } from '@sealane/ledger';
import { encodeBundle } from '@sealane/trust';
import type { Promoter } from '../promoter.js';
import { askWitnesses } from './witnesses.js';

/** A logged statement, as commands print it. */
export interface LoggedStatement {
  readonly predicateType: string;
  readonly digest: string;
  readonly logIndex: number | null;
}

/** Signs a payload and logs it; durable when it resolves. A statement that is there already keeps its place. */
export async function signAndLog(ledger: Ledger, payload: Uint8Array, signer: Signer): Promise<AppendResult> {
  return await logEnvelope(ledger, await signStatement(payload, signer));
}

/** Signs payloads and logs them: all of them, or none. */
export async function signAllAndLog(ledger: Ledger, payloads: readonly Uint8Array[], signer: Signer): Promise<void> {
  const signed: Signed[] = [];
  for (const payload of payloads) signed.push(await signStatement(payload, signer));
  await ledger.append(signed);
}

/** Logs an envelope that somebody else signed. */
export async function logEnvelope(ledger: Ledger, signed: Signed): Promise<AppendResult> {
  const [appended] = await ledger.append([signed]);
  if (appended === undefined) throw new PromoterError('INTERNAL', 'log a statement: expected its place in the log, got none');
  return appended;
}

/** The line that commands print for an entry. */
export function describeEntry(entry: LedgerEntry): LoggedStatement {
  return { predicateType: statementOf(entry).predicateType, digest: entry.statementDigest, logIndex: entry.index };
}

/**
 * A checkpoint of the whole log under the witness quorum: the latest one when it covers everything and `fresh` is not asked for, else a new one.
 *
 * @throws PromoterError `LOG_WITNESS` too few witnesses answered; `LOG_FORK`, `LOG_RESTORED` one of them saw another log, or more of this one
 */
export async function witnessedHead(promoter: Promoter, fresh: 'when-grown' | 'always' = 'when-grown'): Promise<string> {
  const { ledger } = promoter;
  const latest = await ledger.latestCosigned();
  const { size } = await ledger.head();
  if (fresh === 'when-grown' && latest !== null && parseCheckpoint(latest).size === size && hasQuorum(promoter, latest, promoter.logVkey))
    return latest;
  const note = await ledger.checkpointNote();
  const lines = await cosignatures(promoter, note, size, latest === null ? 0 : parseCheckpoint(latest).size);
  const cosigned = note + lines.join('');
  // refuses below the quorum: the statements stay logged, and the next command asks the witnesses again
  expectQuorum(promoter, cosigned, promoter.logVkey);
  await ledger.saveCosigned(cosigned);
  return cosigned;
}

function expectQuorum({ pipeline }: Promoter, note: string, logVkey: string): void {
  verifyQuorum({
    note,
    logKeys: [parseVkey(logVkey)],
    witnesses: pipeline.witnesses.map(({ vkey }) => parseVkey(vkey)),
    quorum: pipeline.quorum,
  });
}

/** Whether this key of the log and the witnesses of today stand behind a checkpoint: what was replaced is asked no more, and its word is not the latest. */
export function hasQuorum(promoter: Promoter, note: string, logVkey: string): boolean {
  try {
    expectQuorum(promoter, note, logVkey);
    return true;
  } catch (error) {
    if (error instanceof SealaneError && (error.code === 'LOG_WITNESS' || error.code === 'LOG_NOT_INCLUDED')) return false;
    throw error;
  }
}

/** Asks the witnesses for a checkpoint of all that is logged; false when there is no quorum now: the next command asks again. @throws SealaneError `LOG_FORK` and faults */
export async function tryWitness(promoter: Promoter, fresh: 'when-grown' | 'always' = 'when-grown'): Promise<boolean> {
  try {
    await witnessedHead(promoter, fresh);
    return true;
  } catch (error) {
    if (error instanceof SealaneError && error.code === 'LOG_WITNESS') return false;
    throw error;
  }
}

/** What the witnesses of today answer to a checkpoint of `size` entries: the lines of those that cosigned it. @throws as `askWitnesses` */
export async function cosignatures(promoter: Promoter, note: string, size: number, believedSize: number): Promise<readonly string[]> {
  return await askWitnesses(promoter.pipeline.witnesses, promoter, {
    note,
    size,
    believedSize,
    consistencyProof: (size1, size2) => promoter.ledger.consistencyProof(size1, size2),
  });
}

/** The bundle of an entry with its proof under a cosigned checkpoint that covers it. */
export async function bundleOf(ledger: Ledger, entry: LedgerEntry, note: string): Promise<JsonObject> {
  const checkpoint = parseCheckpoint(note);
  const hashes = await ledger.inclusionProof(entry.index, checkpoint.size);
  return encodeBundle({
    ...entry,
    proof: {
      logIndex: entry.index,
      treeSize: checkpoint.size,
      rootHash: checkpoint.root,
      hashes,
      checkpoint: note,
      logId: logId(parseVkey(ledger.proofKey(note))),
    },
  });
}

/** The first checkpoint under the quorum that covers an entry. @throws PromoterError `LOG_WITNESS` */
export async function firstCheckpoint(ledger: Pick<Ledger, 'firstCosignedCovering'>, index: number): Promise<string> {
  const note = await ledger.firstCosignedCovering(index);
  if (note === null) throw new PromoterError('LOG_WITNESS', `prove entry ${index}: expected a cosigned checkpoint above it, got none`);
  return note;
}

/** The statement in an entry's envelope; the ledger has parsed the one of its own entries already. */
export function statementOf({ envelope, statement }: Pick<LedgerEntry, 'envelope'> & Partial<Pick<LedgerEntry, 'statement'>>): Statement {
  return statement ?? parseStatement(envelopePayload(envelope));
}
