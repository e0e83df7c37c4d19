/**
 * Decisions into the lane: every waybill into content, then one channel for each stage, then trust, once. In that order, so a crash leaves the old
 * lane or the new one.
 */
import { PromoterError, sha256 } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import { type Channel, isPointing, readDecision } from '@sealane/trust';
import { setChannelGroups } from '../channel/channel-edit.js';
import { reached } from '../crash-point.js';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { publishLane } from '../trust/publish-lane.js';
import { type ByQuestion, eachAlone, type Failures } from './each-alone.js';
import { ordersOf } from './orders.js';
import { blobFiles, waybillOf } from './waybill.js';

/** A PASSED decision, and the groups that are to follow it now. */
export interface Standing {
  readonly entry: LedgerEntry;
  readonly counter: number;
  readonly groups: readonly string[];
}

/**
 * Which groups are to follow each decision: those that it names and that have neither gone on to a later one nor were pointed elsewhere since. A
 * retried job of last week must not roll a group back, nor undo that it was rolled back: both are acts of their own.
 */
export async function standingOf(
  promoter: Promoter,
  decisions: ByQuestion<LedgerEntry>,
  failures: Failures,
): Promise<ByQuestion<Standing>> {
  const pointings = new Map<string, ReturnType<typeof pointingsOf>>();
  return await eachAlone(decisions, failures, async (entry, { stage, rollout }) => {
    const pointed = pointings.get(stage) ?? pointingsOf(promoter, stage);
    pointings.set(stage, pointed);
    const counter = counterOf(entry);
    const since = (await pointed).filter(({ index }) => index > entry.index).flatMap(({ groups }) => groups);
    const isLater = (name: string): boolean => counterIn(stageOf(promoter, stage).channel, name) > counter;
    return { entry, counter, groups: rollout.filter((name) => !since.includes(name) && !isLater(name)) };
  });
}

/** The orders that pointed groups of a stage at a release, by their place in the log. */
async function pointingsOf(
  promoter: Promoter,
  stage: string,
): Promise<readonly { readonly index: number; readonly groups: readonly string[] }[]> {
  const orders = (await ordersOf(promoter, stage)).filter(({ order }) => isPointing(order));
  return orders.map(({ entry: { index }, order: { groups } }) => ({ index, groups }));
}

function counterOf(entry: LedgerEntry): number {
  const { counter } = readDecision(statementOf(entry)).sealane_promotion;
  if (counter !== null) return counter;
  throw new PromoterError('INTERNAL', `publish decision ${entry.statementDigest}: expected a PASSED one, got a refusal`);
}

function counterIn({ groups }: Channel, name: string): number {
  return groups.find((group) => group.name === name)?.counter ?? 0;
}

/** Publishes decisions together. In the order of their counters, so that of two for one group the later one stays; a waybill that cannot be made fails alone. `still`: the ledger as they were judged on. */
export async function publishDecisions(
  promoter: Promoter,
  still: Ledger,
  {
    decisions,
    written,
    failures,
  }: { readonly decisions: ByQuestion<Standing>; readonly written: ReadonlySet<string>; readonly failures: Failures },
): Promise<void> {
  const inOrder = new Map([...decisions].sort(([, left], [, right]) => left.counter - right.counter));
  const waybills = await eachAlone(inOrder, failures, ({ entry }, question) => waybillOf({ ...promoter, ledger: still }, question, entry));
  if (waybills.size === 0) return;
  const channels = new Map<string, Channel>();
  for (const [{ release, stage }, { counter, groups, waybill }] of withWaybills(inOrder, waybills)) {
    const choice = { release, waybill: sha256(waybill), length: waybill.length, counter };
    channels.set(stage, setChannelGroups(promoter, stage, groups, choice, channels.get(stage)));
  }
  await publishLane(promoter, channels, { content: blobFiles(promoter, [...waybills.values()]), written });
  reached('promote:published');
}

function withWaybills(
  decisions: ByQuestion<Standing>,
  waybills: ByQuestion<Uint8Array>,
): ByQuestion<Standing & { readonly waybill: Uint8Array }> {
  return new Map(
    [...decisions].flatMap(([question, standing]) => {
      const waybill = waybills.get(question);
      return waybill === undefined ? [] : [[question, { ...standing, waybill }]];
    }),
  );
}
