/** The checks that every verified statement passes, whether its place in the log comes from a proof or from our own ledger. */
import {
  type Checkpoint,
  CoreError,
  type Digest,
  type Envelope,
  type ErrorCode,
  keyIdOf,
  openNote,
  parseCheckpoint,
  type QuorumCheckpoint,
  type Statement,
  TrustError,
  verifyEnvelope,
  verifyQuorum,
  type Vkey,
} from '@sealane/core';
import { secondsToTime } from '../time.js';
import type { TrustedKey, TrustedLog, TrustedWindow, VerifyTrust } from './verify-trust.js';

/** The span of a quorum's cosignature times: nothing before `lowest` is proved, all is by `highest`. */
export interface WitnessedTime {
  readonly lowest: string;
  readonly highest: string;
}

/** A statement whose signature, key window and place in the log hold. */
export interface VerifiedStatement {
  readonly digest: Digest;
  readonly keyId: string;
  readonly logIndex: number;
  readonly statement: Statement;
  /** The checkpoint that its proof leads to; null for a row of our own ledger that no quorum has covered yet. */
  readonly checkpoint: Checkpoint | null;
  /** When that checkpoint's quorum saw it; null as above. */
  readonly witnessed: WitnessedTime | null;
}

/**
 * Against what, and who may have signed. Without `signers` any key of the table may; `signerCode` is the refusal of others. `quorums` keeps
 * checkpoints that were verified against this very trust, for a caller with many statements: most share a few checkpoints. `signatures` are envelopes
 * whose signature by the key that came with them was verified before: by somebody who could wait for many at once. `digestOf` knows statement digests
 * that were made before.
 */
export interface VerifyOptions {
  readonly trust: VerifyTrust;
  readonly quorums?: Map<string, QuorumCheckpoint>;
  readonly signatures?: { readonly has: (envelope: Envelope) => boolean };
  readonly digestOf?: (envelope: Envelope) => Digest;
  readonly signers?: readonly string[];
  readonly signerCode?: ErrorCode;
}

/**
 * Verifies log signature and witness quorum of a checkpoint of one of the trusted logs, as the head of a log must have it: of today's key and witnesses.
 *
 * @throws TrustError `LOG_NOT_INCLUDED`, `LOG_KEY_REPLACED`, `LOG_WITNESS`
 */
export function quorumOf(note: string, log: TrustedLog, trust: VerifyTrust): QuorumCheckpoint {
  return quorumBy(note, log, { logKeys: [log.vkey], witnesses: trust.witnesses, quorum: trust.quorum });
}

/**
 * As `quorumOf`, for a checkpoint that a proof leads to. Keys of the log and of witnesses that were replaced count as far as policy lets them: who has
 * such a key makes no other history with it, since every proof's checkpoint must begin the head that today's log and witnesses signed.
 *
 * @throws TrustError as `quorumOf`
 */
export function quorumThen(note: string, log: TrustedLog, trust: VerifyTrust): QuorumCheckpoint {
  const size = sizeIn(note);
  const counts = ({ belowSize }: { readonly belowSize: number }): boolean => size <= belowSize;
  return quorumBy(note, log, {
    logKeys: [log, ...log.past.filter(counts)].map(({ vkey }) => vkey),
    witnesses: [...trust.witnesses, ...trust.pastWitnesses.filter(counts).map(({ vkey }) => vkey)],
    quorum: trust.quorum,
  });
}

/** The size that a checkpoint says: of the text that is signed, so it may choose the keys that the signatures are held against. */
function sizeIn(note: string): number {
  return asTrustError(() => parseCheckpoint(note).size);
}

function quorumBy(
  note: string,
  log: TrustedLog,
  by: { readonly logKeys: readonly Vkey[]; readonly witnesses: readonly Vkey[]; readonly quorum: number },
): QuorumCheckpoint {
  try {
    return asTrustError(() => verifyQuorum({ note, ...by }));
  } catch (error) {
    const replaced = error instanceof TrustError && error.code === 'LOG_NOT_INCLUDED' ? replacedSigner(note, log) : undefined;
    if (replaced === undefined) throw error;
    const size = sizeIn(note);
    const message = `verify checkpoint ${size} of ${log.origin}: expected a signature by the log's key of today, got one by a key that it replaced at ${replaced.belowSize} entries`;
    throw new TrustError('LOG_KEY_REPLACED', message, { size, belowSize: replaced.belowSize }, { cause: error });
  }
}

/** The replaced key of the log that signed a checkpoint. */
function replacedSigner(note: string, { past }: TrustedLog): TrustedLog['past'][number] | undefined {
  const { verified } = asTrustError(() =>
    openNote(
      note,
      past.map(({ vkey }) => vkey),
    ),
  );
  return past.find(({ vkey }) => verified.includes(vkey));
}

function asTrustError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    throw new TrustError(error.code.startsWith('LOG_') ? error.code : 'LOG_NOT_INCLUDED', error.message, error.data, { cause: error });
  }
}

/** As `quorumOf`, each checkpoint once. A refusal is not kept: it ends the caller's walk. @throws TrustError as `quorumOf` */
export function quorumOnce(note: string, log: TrustedLog, { trust, quorums }: VerifyOptions): QuorumCheckpoint {
  const name = `${log.origin}\n${note}`;
  const quorum = quorums?.get(name) ?? quorumThen(note, log, trust);
  quorums?.set(name, quorum);
  return quorum;
}

/** The key of an allowed signer. @throws TrustError `EVIDENCE_SIGNER`, or `signerCode` */
export function allowedKey(digest: Digest, keyId: string, options: VerifyOptions): TrustedKey {
  return allowedSigner(digest, { id: keyId, known: options.trust.keys.get(keyId), said: `key ${keyId}` }, options);
}

/** A signer whom policy knows, and names for this. @throws TrustError `EVIDENCE_SIGNER`, or `signerCode` */
export function allowedSigner<Known>(
  digest: Digest,
  { id, known, said }: { readonly id: string; readonly known: Known | undefined; readonly said: string },
  { signers, signerCode = 'EVIDENCE_SIGNER' }: VerifyOptions,
): Known {
  if (known === undefined)
    throw new TrustError(signerCode, `verify statement ${digest}: expected a signer that policy names, got ${said}`, { keyId: id });
  if (signers !== undefined && !signers.includes(id))
    throw new TrustError(signerCode, `verify statement ${digest}: expected a signer that policy names for it, got ${said}`, { keyId: id });
  return known;
}

/** Whether the key made the envelope's signature. @throws TrustError `WAYBILL_SIGNATURE` */
export function checkSignature(digest: Digest, envelope: Envelope, { spki }: Pick<TrustedKey, 'spki'>): void {
  if (!verifyEnvelope(envelope, spki)) {
    throw new TrustError('WAYBILL_SIGNATURE', `verify statement ${digest}: expected a signature by key ${keyIdOf(spki)}, got another`);
  }
}

/**
 * A key is revoked by log index: what it signed before stands. The index must be an authenticated one: a proof's, or our ledger's.
 *
 * @throws TrustError `KEY_REVOKED`
 */
export function checkWindow(digest: Digest, keyId: string, key: TrustedWindow, origin: string, logIndex: number): void {
  if (key.origin === origin && logIndex >= key.fromIndex && (key.untilIndex === null || logIndex < key.untilIndex)) return;
  const until = key.untilIndex === null ? '' : ` to below ${key.untilIndex}`;
  throw new TrustError(
    'KEY_REVOKED',
    `verify statement ${digest}: expected an index of ${key.origin} from ${key.fromIndex}${until} for key ${keyId}, got ${logIndex} of ${origin}`,
    {
      keyId,
      logIndex,
    },
  );
}

/** The result, out of its parts. */
export function verified(
  digest: Digest,
  keyId: string,
  logIndex: number,
  statement: Statement,
  quorum: QuorumCheckpoint | null,
): VerifiedStatement {
  const witnessed = quorum === null ? null : { lowest: secondsToTime(quorum.lowestSeconds), highest: secondsToTime(quorum.highestSeconds) };
  return { digest, keyId, logIndex, statement, checkpoint: quorum?.checkpoint ?? null, witnessed };
}

/** The refusal of a statement whose place in the log is not proved. */
export function notIncluded(digest: Digest, expected: string, got: string): TrustError {
  return new TrustError('LOG_NOT_INCLUDED', `verify statement ${digest}: expected ${expected}, got ${got}`);
}
