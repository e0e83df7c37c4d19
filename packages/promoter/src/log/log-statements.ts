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
import { encodeBundle, type Policy } from '@sealane/trust';
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

/** Signs payloads, one after the other: a token takes one at a time. */
export async function signAll(payloads: readonly Uint8Array[], signer: Signer): Promise<readonly Signed[]> {
  const signed: Signed[] = [];
  for (const payload of payloads) signed.push(await signStatement(payload, signer));
  return signed;
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
 * Whose quorum is asked for: that of the policies that are published, or, by what makes a proposal current, that of the pipeline that it was made from. A
 * checkpoint that other witnesses cosigned is not kept: it would be the first one above its entries, and prove them to nobody.
 */
type Judge = 'published' | 'proposed';

/**
 * A checkpoint of the whole log under the witness quorum: the latest one when it covers everything and `fresh` is not asked for, else a new one.
 *
 * @throws PromoterError `LOG_WITNESS` too few witnesses answered; `LOG_FORK`, `LOG_RESTORED` one of them saw another log, or more of this one
 */
export async function witnessedHead(
  promoter: Promoter,
  fresh: 'when-grown' | 'always' = 'when-grown',
  judge: Judge = 'published',
): Promise<string> {
  const { ledger } = promoter;
  const latest = await ledger.latestCosigned();
  const { size } = await ledger.head();
  const isHead = latest !== null && parseCheckpoint(latest).size === size;
  if (fresh === 'when-grown' && isHead && hasQuorum(promoter, latest, promoter.logVkey, judge)) return latest;
  const note = await ledger.checkpointNote();
  const lines = await cosignatures(promoter, note, size, latest === null ? 0 : parseCheckpoint(latest).size);
  const cosigned = note + lines.join('');
  if (!hasQuorum(promoter, cosigned, promoter.logVkey, judge)) tellOfStrangers(promoter);
  // refuses below the quorum: the statements stay logged, and the next command asks the witnesses again
  expectQuorum(promoter, cosigned, promoter.logVkey, judge);
  await ledger.saveCosigned(cosigned);
  return cosigned;
}

function expectQuorum(promoter: Promoter, note: string, logVkey: string, judge: Judge): void {
  for (const { witnesses, quorum } of quorumsOf(promoter, judge))
    verifyQuorum({ note, logKeys: [parseVkey(logVkey)], witnesses: witnesses.map(parseVkey), quorum });
}

/** At least one: a lane that has published no policy yet has the pipeline's. */
function quorumsOf({ pipeline, lane }: Promoter, judge: Judge): readonly Pick<Policy, 'witnesses' | 'quorum'>[] {
  const policies = judge === 'published' ? [...lane.stages.values()].map(({ policy }) => policy) : [];
  return policies.length > 0 ? policies : [{ witnesses: pipeline.witnesses.map(({ vkey }) => vkey), quorum: pipeline.quorum }];
}

/** Says which witnesses were asked for nothing. */
function tellOfStrangers(promoter: Promoter): void {
  const named = new Set(quorumsOf(promoter, 'published').flatMap(({ witnesses }) => witnesses));
  for (const { vkey } of promoter.pipeline.witnesses.filter((each) => !named.has(each.vkey)))
    promoter.talk(
      `sealane: warning: pipeline.yaml names witness ${parseVkey(vkey).name}, which no published policy does: it counts once the owners have published a proposal\n`,
    );
}

/** Whether this key of the log and the witnesses of today stand behind a checkpoint: what was replaced is asked no more, and its word is not the latest. */
export function hasQuorum(promoter: Promoter, note: string, logVkey: string, judge: Judge): boolean {
  try {
    expectQuorum(promoter, note, logVkey, judge);
    return true;
  } catch (error) {
    if (error instanceof SealaneError && (error.code === 'LOG_WITNESS' || error.code === 'LOG_NOT_INCLUDED')) return false;
    throw error;
  }
}

/** Asks the witnesses for a checkpoint of all that is logged; false when there is no quorum now: the next command asks again. @throws SealaneError `LOG_FORK` and faults */
export async function tryWitness(
  promoter: Promoter,
  fresh: 'when-grown' | 'always' = 'when-grown',
  judge: Judge = 'published',
): Promise<boolean> {
  try {
    await witnessedHead(promoter, fresh, judge);
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
