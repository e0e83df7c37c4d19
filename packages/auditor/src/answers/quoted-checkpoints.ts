/**
 * What logged approvals and receipts quote of the log that they came into. Whoever was shown another history signed what he saw of it: once that is logged it proves the
 * fork by itself, and nobody has to bring it (THREATS T8).
 */
import { PREDICATE } from '@sealane/core';
import type { LedgerEntry, LedgerReport } from '@sealane/ledger';
import { startEvidence } from './answer.js';
import type { AuditContext } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsIn } from './facts.js';
import type { Inquiry } from './inquiry.js';
import { countAt, textAt } from './json-at.js';
import { receiptsIn } from './receipts.js';
import { otherThanQuoted, type Quote } from './seen.js';

/** Entries read at a time. */
const PAGE = 500;
/** Problems that are named: one fork that ten thousand sites saw is one fork. */
const MAX_PROBLEMS = 100;

/** A problem for each that quotes another root than this log had, or more entries than it has. What policy lets nobody say proves nothing and is passed over. */
export async function quotedProblems(context: AuditContext): Promise<LedgerReport['problems']> {
  // an entry that was erased quotes nothing any more
  const ledger = context.ledger.noting(() => undefined);
  const inquiry: Inquiry = { context: { ...context, ledger }, evidence: startEvidence(), asOf: undefined };
  const places = await ledger.statementsNaming({ types: [PREDICATE.approval, PREDICATE.receipt], word: '' });
  const problems: LedgerReport['problems'][number][] = [];
  // thousands of sites saw the same checkpoint
  const known = new Map<string, string | undefined>();
  for (let at = 0; at < places.length && problems.length < MAX_PROBLEMS; at += PAGE) {
    for (const entry of await ledger.entriesAt(places.slice(at, at + PAGE))) {
      const quote = quoteOf(entry, ledger.origin);
      if (quote === undefined) continue;
      const name = `${quote.size} ${quote.root}`;
      if (!known.has(name)) known.set(name, await otherThanQuoted(ledger, quote));
      const actual = known.get(name);
      if (actual === undefined || !(await isTold(inquiry, entry))) continue;
      const expected = `root ${quote.root} at size ${quote.size}, as its signer saw it`;
      problems.push({ where: 'quoted', key: entry.statementDigest, expected, actual });
    }
  }
  return problems.slice(0, MAX_PROBLEMS);
}

/** What a statement quotes, read loosely: only one that differs is read as what it is. A site that had seen no log yet quotes none. */
function quoteOf({ statement: { predicate } }: LedgerEntry, origin: string): Quote | undefined {
  const [root, size] = [textAt(predicate, 'checkpoint', 'root'), countAt(predicate, 'checkpoint', 'size')];
  return size === undefined || textAt(predicate, 'checkpoint', 'origin') !== origin ? undefined : { root, size };
}

/** Whether it is signed by whom policy or the registrar lets say such a thing: anybody can write down another root. */
async function isTold(inquiry: Inquiry, entry: LedgerEntry): Promise<boolean> {
  if (entry.statement.predicateType === PREDICATE.receipt) return (await receiptsIn(inquiry, [entry])).length > 0;
  return (await factsIn(inquiry, FACT.approval, [entry])).length > 0;
}
