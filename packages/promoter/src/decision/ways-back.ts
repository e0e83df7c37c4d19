/** What the gate `rollback-rehearsed` reads beside statements about the release: which releases it replaces, and the receipts of sites that went back from it. */
import type { Digest } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { type Policy, readDecision, readReceipt, rollbackRehearsedGate } from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import { stageOf } from '../promoter.js';
import { siteRecords } from '../site/records.js';
import type { GateSource, Question } from './gate-source.js';

/** Whether a stage asks for ways back at all: looking for them reads much. */
export function asksForWaysBack({ gates }: Policy): boolean {
  return gates.some(({ use }) => use === rollbackRehearsedGate.id);
}

/**
 * The releases that this one is to replace: for each group the last other one that was let in. Taken from the log and not from the channel, which a
 * replay has not.
 *
 * A decision by a key that is not the stage's now (one that was replaced, or a forger's) adds its release and hides none.
 */
export async function replacedReleases(source: GateSource, { release, stage, rollout }: Question): Promise<readonly Digest[]> {
  const { policy } = stageOf(source, stage);
  const keys = policy.chain.at(-1)?.keys ?? [];
  const open = new Set(rollout);
  const found = new Set<Digest>();
  const rows = (await source.ledger.decisions({ stage })).filter((row) => row.result === 'PASSED' && row.release !== release);
  for (const row of [...rows].reverse()) {
    if (open.size === 0) break;
    const { rollout: groups } = readDecision(statementOf(await source.ledger.entry(row.index))).sealane_promotion;
    const mine = groups.filter((name) => open.has(name));
    if (mine.length > 0) found.add(row.release);
    if (keys.includes(row.keyId)) for (const name of mine) open.delete(name);
  }
  return [...found].sort();
}

/** Receipts by which sites of the stages before say that they went back from the release, with the records of those sites, in log order. */
export async function waysBack(source: GateSource, { release, stage }: Question): Promise<readonly LedgerEntry[]> {
  const { policy } = stageOf(source, stage);
  if (!asksForWaysBack(policy)) return [];
  const stages = policy.chain.at(-1)?.from ?? [];
  const records = await siteRecords(source);
  const sites = new Set(records.filter((record) => stages.includes(record.stage)).map(({ site }) => site));
  const found: LedgerEntry[] = [];
  for (const site of sites) {
    const receipts = await rollbacksOf(source, site, release);
    if (receipts.length === 0) continue;
    found.push(...receipts);
    for (const record of records) if (record.site === site) found.push(await source.ledger.entry(record.index));
  }
  return found.sort((left, right) => left.index - right.index);
}

async function rollbacksOf({ ledger }: GateSource, site: string, release: Digest): Promise<readonly LedgerEntry[]> {
  const rows = (await ledger.receiptsOf(site)).filter(({ event }) => event === 'rollback');
  const entries = await Promise.all(rows.map(({ index }) => ledger.entry(index)));
  return entries.filter((entry) => readReceipt(statementOf(entry)).previous === release);
}
