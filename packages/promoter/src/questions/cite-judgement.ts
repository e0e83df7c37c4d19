/** What a judgement rests on, cited in an answer of the auditor: the statements that its gates read, and those that its checks name beside them. */
import type { Check, Digest } from '@sealane/core';
import { citeEntry, type Inquiry } from '@sealane/auditor';
import type { LedgerEntry } from '@sealane/ledger';
import type { GateInput } from '@sealane/trust';

/** A judgement, as far as it is cited. */
interface Judged {
  readonly checks: readonly Pick<Check, 'evidence'>[];
  readonly input: Pick<GateInput, 'statements'>;
}

/** Cites it: what the gates verified is proved to be in the log when the answer is closed. */
export async function citeJudgement(inquiry: Inquiry, { checks, input }: Judged): Promise<void> {
  const { ledger } = inquiry.context;
  const read = new Set(input.statements.map(({ digest }) => digest));
  const beside = new Set(checks.flatMap(({ evidence }) => evidence).filter((digest) => !read.has(digest)));
  const entries = [...(await ledger.entriesAt(input.statements.map(({ logIndex }) => logIndex))), ...(await entriesOf(ledger, beside))];
  for (const entry of entries) citeEntry(inquiry.evidence, entry);
}

/** Freezes and revocations are read by the checks themselves. */
async function entriesOf(ledger: Inquiry['context']['ledger'], digests: Iterable<Digest>): Promise<readonly LedgerEntry[]> {
  const found: LedgerEntry[] = [];
  for (const digest of digests) found.push(...(await ledger.byStatement(digest)));
  return found;
}
