/** What a key signed, whether or not its word counts: each signature is held against the key, whatever the index of the ledger says. */
import { verifyEnvelope } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import { citeEntry, doubt, type Evidence } from './answer.js';
import type { Inquiry } from './inquiry.js';
import { bytesOf, checkSignatures, type EntryBytes, knownSignatures } from './signatures.js';

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
    if (holds(entry)) {
      citeEntry(evidence, entry);
      signed.push(entry);
    } else doubtSigner(evidence, entry, keyId);
  }
  return signed;
}

function holds({ envelope, spki }: LedgerEntry): boolean {
  return knownSignatures.has(envelope) || verifyEnvelope(envelope, spki);
}

function doubtSigner(evidence: Evidence, entry: Pick<LedgerEntry, 'index' | 'statementDigest'>, keyId: string): void {
  doubt(evidence, entry, 'WAYBILL_SIGNATURE', `entry ${entry.index} names key ${keyId}, which did not sign it`);
}

/** What is left of an entry when what it says is not asked for. `holds`: its key signed it. */
interface EntryHead extends Pick<LedgerEntry, 'index' | 'statementDigest' | 'keyId'> {
  readonly predicateType: string;
  readonly bytes: EntryBytes;
  readonly holds: boolean;
}

/** As `entriesBy`, of which only the heads are given: a key may have signed more than is kept in memory of statements. */
export async function headsBy(
  { context, evidence }: Inquiry,
  keyId: string,
  wanted: (head: EntryHead) => Promise<boolean> | boolean,
): Promise<readonly EntryHead[]> {
  const signed: EntryHead[] = [];
  for (const head of await headsAt(context.ledger, await context.ledger.indexesBy(keyId))) {
    if (head.keyId !== keyId || !(await wanted(head))) continue;
    if (head.holds) {
      evidence.citations.push({ digest: head.statementDigest, logIndex: head.index, bytes: head.bytes });
      signed.push(head);
    } else doubtSigner(evidence, head, keyId);
  }
  return signed;
}

/** Heads that are remembered of one ledger: some 400 bytes each. */
const MAX_HEADS = 50_000;
/** Entries that are in memory at a time. */
const AT_A_TIME = 512;

const knownHeads = new WeakMap<object, Map<number, EntryHead>>();

/** The heads of those of these entries that are not erased, each read once for as long as the ledger forgets nothing. */
async function headsAt(ledger: Ledger, indexes: readonly number[]): Promise<readonly EntryHead[]> {
  const known = knownHeads.get(ledger.memory()) ?? new Map<number, EntryHead>();
  knownHeads.set(ledger.memory(), known);
  const heads = new Map(
    indexes.flatMap((index): readonly (readonly [number, EntryHead])[] => {
      const head = known.get(index);
      return head === undefined ? [] : [[index, head]];
    }),
  );
  const missing = indexes.filter((index) => !heads.has(index));
  for (let at = 0; at < missing.length; at += AT_A_TIME) {
    const entries = await ledger.entriesAt(missing.slice(at, at + AT_A_TIME));
    await checkSignatures(entries);
    for (const entry of entries) heads.set(entry.index, headOf(entry));
  }
  if (known.size + missing.length > MAX_HEADS) known.clear();
  for (const index of missing) {
    const head = heads.get(index);
    if (head !== undefined && known.size < MAX_HEADS) known.set(index, head);
  }
  return indexes.flatMap((index) => heads.get(index) ?? []);
}

function headOf(entry: LedgerEntry): EntryHead {
  const { index, statementDigest, keyId, statement } = entry;
  return { index, statementDigest, keyId, predicateType: statement.predicateType, bytes: bytesOf(entry), holds: holds(entry) };
}
