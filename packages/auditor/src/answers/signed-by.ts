/** What a key signed, whether or not its word counts: each signature is held against the key, whatever the index of the ledger says. */
import { verifyEnvelope } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { citeEntry, doubt } from './answer.js';
import type { Inquiry } from './inquiry.js';
import { checkSignatures, knownSignatures } from './signatures.js';

/** The entries that a key signed and that are `wanted`, in log order, each cited; one with another signature is a doubt. */
export async function entriesBy(
  { context, evidence }: Inquiry,
  keyId: string,
  wanted: (entry: LedgerEntry) => Promise<boolean> | boolean,
): Promise<readonly LedgerEntry[]> {
  const entries = (await context.ledger.statementsBy(keyId)).filter((entry) => entry.keyId === keyId);
  await checkSignatures(entries);
  const signed: LedgerEntry[] = [];
  for (const entry of entries) {
    if (!(await wanted(entry))) continue;
    if (knownSignatures.has(entry.envelope) || verifyEnvelope(entry.envelope, entry.spki)) {
      citeEntry(evidence, entry);
      signed.push(entry);
    } else doubt(evidence, entry, 'WAYBILL_SIGNATURE', `entry ${entry.index} names key ${keyId}, which did not sign it`);
  }
  return signed;
}
