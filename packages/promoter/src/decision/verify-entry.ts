/** Verification of entries of the ledger, each once: the same entry under the same checkpoint and trust is what it was. */
import { type Envelope, envelopePayload, envelopeSignature, pae, type QuorumCheckpoint, verifyP256InPool } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { type LedgerRow, quorumOf, trustWithEnrolled, type VerifiedStatement, verifyLedgerRow, type VerifyTrust } from '@sealane/trust';
import type { GateSource } from './gate-source.js';

/** Checkpoints, and sets of enrolled keys, that are kept of a trust. */
const MAX_KEPT = 1000;

/** What was verified against one trust. Entries are the ledger's own objects, which it gives again for as long as it keeps them. */
interface Verified {
  readonly entries: WeakMap<LedgerEntry, { readonly cosigned: string | null; readonly statement: VerifiedStatement }>;
  readonly quorums: Map<string, QuorumCheckpoint>;
  readonly heads: Map<string, QuorumCheckpoint>;
  /** The trust with the keys that these records enrol. */
  readonly enrolled: Map<string, VerifyTrust>;
}

/** By the very trust, which nobody changes in place. */
const known = new WeakMap<VerifyTrust, Verified>();

/** Envelopes whose signature by the key that came with them was found to hold. Whether the key counts is asked each time. */
const signed = new WeakSet<Envelope>();
/** Signatures that are being checked at a time: as many as keep every core at work. */
const AHEAD = 256;

/** Checks the signatures of entries on every core, before each is asked for; one that does not hold is just not known, and is refused when it is. */
export async function checkSignatures(entries: readonly LedgerEntry[]): Promise<void> {
  // a keyless one is checked with its certificate
  const open = entries.filter(({ envelope, certified }) => certified === undefined && !signed.has(envelope));
  for (let at = 0; at < open.length; at += AHEAD) await Promise.all(open.slice(at, at + AHEAD).map(checkSignature));
}

async function checkSignature({ envelope, spki }: LedgerEntry): Promise<void> {
  const data = pae(envelope.payloadType, envelopePayload(envelope));
  if (await verifyP256InPool(spki, data, envelopeSignature(envelope))) signed.add(envelope);
}

/**
 * Verifies an entry against a trust.
 *
 * @throws TrustError as `verifyLedgerRow`
 */
export async function verifyEntry(source: Pick<GateSource, 'ledger'>, entry: LedgerEntry, trust: VerifyTrust): Promise<VerifiedStatement> {
  const { entries, quorums } = verifiedBy(trust);
  const row = await ledgerRow(source, entry);
  const before = entries.get(entry);
  if (before?.cosigned === row.cosigned) return before.statement;
  const statement = verifyLedgerRow(row, { trust, quorums, signatures: signed });
  entries.set(entry, { cosigned: row.cosigned, statement });
  return statement;
}

/** An entry as `verifyLedgerRow` takes it. */
export async function ledgerRow({ ledger }: Pick<GateSource, 'ledger'>, entry: LedgerEntry): Promise<LedgerRow> {
  const cosigned = await ledger.firstCosignedCovering(entry.index);
  return { ...entry, logIndex: entry.index, origin: ledger.origin, cosigned };
}

/** The quorum of the head of a log, as `quorumOf`. @throws TrustError as `quorumOf` */
export function headQuorum(note: string, log: VerifyTrust['logs'][number], trust: VerifyTrust): QuorumCheckpoint {
  const { heads } = verifiedBy(trust);
  const quorum = heads.get(note) ?? quorumOf(note, log, trust);
  heads.set(note, quorum);
  return quorum;
}

/** As `trustWithEnrolled`: one and the same for the same records. */
export function enrolledTrust(trust: VerifyTrust, records: readonly VerifiedStatement[]): VerifyTrust {
  if (records.length === 0) return trust;
  const { enrolled } = verifiedBy(trust);
  const name = records.map(({ digest, keyId, logIndex }) => `${digest} ${keyId} ${logIndex}`).join();
  const made = enrolled.get(name) ?? trustWithEnrolled(trust, records);
  enrolled.set(name, made);
  return made;
}

function verifiedBy(trust: VerifyTrust): Verified {
  const verified = known.get(trust) ?? { entries: new WeakMap(), quorums: new Map(), heads: new Map(), enrolled: new Map() };
  for (const kept of [verified.quorums, verified.heads, verified.enrolled]) if (kept.size >= MAX_KEPT) kept.clear();
  known.set(trust, verified);
  return verified;
}
