/** What a site summed up because it was cut off for long: receipts that will not come, held against the chain on both sides of each run. */
import type { ReceiptSummary, SummedRun } from '@sealane/trust';
import { doubt } from './answer.js';
import type { Inquiry } from './inquiry.js';
import type { ReceiptHead } from './receipt-heads.js';

/** A receipt that stands for others, and what it says of them. */
export interface SummaryTold {
  readonly receipt: ReceiptHead;
  readonly said: ReceiptSummary;
}

/**
 * The summaries among the receipts of a site that are in force: one that a later one stands for is handed on in that. A run that does not lie between its
 * neighbours in the chain, or reaches to its own summary or beyond, is a doubt and stands for nothing.
 */
export function summariesOf(inquiry: Inquiry, receipts: readonly ReceiptHead[]): readonly SummaryTold[] {
  const told = receipts.filter(({ event }) => event === 'summed-up');
  const checked = told.flatMap((receipt) => {
    const said = receipt.summary;
    if (said === undefined) return [];
    const chain = receipts.filter(({ keyId }) => keyId === receipt.keyId);
    const runs = said.runs.filter((run) => isOfChain(run, receipt, chain));
    if (runs.length < said.runs.length)
      doubt(inquiry.evidence, receipt, 'SITE_MISMATCH', `receipt ${receipt.index} sums up what is not of its chain`);
    return [{ receipt, said: { ...said, runs } }];
  });
  return checked.filter(({ receipt }) => !checked.some((other) => standsFor(other, receipt)));
}

function standsFor({ receipt: { keyId }, said }: SummaryTold, receipt: ReceiptHead): boolean {
  return keyId === receipt.keyId && said.runs.some(({ from, to }) => from <= receipt.seq && receipt.seq <= to);
}

type Link = Pick<ReceiptHead, 'seq' | 'prev' | 'statementDigest'>;

/** Whether a run that the summary of number `seq` stands for lies where it says between the receipts of the chain that are there. */
export function isOfChain({ from, to, prev, last }: SummedRun, { seq }: Link, chain: readonly Link[]): boolean {
  const at = (number: number): Link | undefined => chain.find((receipt) => receipt.seq === number);
  const [before, own, after] = [at(from - 1), at(to), at(to + 1)];
  const isOrdered = from <= to && to < seq && (prev === null) === (from === 1);
  return (
    isOrdered &&
    (before === undefined || before.statementDigest === prev) &&
    (own === undefined || own.statementDigest === last) &&
    (after === undefined || after.prev === last)
  );
}
