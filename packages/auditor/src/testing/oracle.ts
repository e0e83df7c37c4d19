/** A naive oracle: what answers must say, folded out of the plain list of what was told; and the histories that it is asked of. */
import type { Digest } from '@sealane/core';
import fc from 'fast-check';
import type { AuditContext } from '../answers/context.js';
import { historyPlan, timeAt, type Told } from './history-plan.js';
import { type History, tellHistory } from './random-history.js';

/** Another seed tells other histories. */
const SEED = 2026;

export type Kind<K extends Told['kind']> = Extract<Told, { kind: K }>;
export interface When {
  readonly asOf?: string;
  readonly asKnown?: string;
}

/** What counts at two times: told by whom it is theirs to say, witnessed by then, and so by then. */
export function counted<K extends Told['kind']>({ told }: History, kind: K, { asOf = '9999', asKnown = '9999' }: When): readonly Kind<K>[] {
  return told.filter((one): one is Kind<K> => one.kind === kind && one.isOwn && one.witnessed <= asKnown && one.at <= asOf);
}

export interface Ran {
  readonly site: string;
  readonly release: Digest | null;
  readonly since: string;
  readonly until: string | null;
}

/** What ran at a site, receipt after receipt by number. */
export function ranAt(history: History, site: string, when: When): readonly Ran[] {
  const chain = counted(history, 'receipt', when).filter((one) => one.site === site);
  const ran: Ran[] = [];
  for (const { event, release, previous, at } of [...chain].sort((a, b) => a.seq - b.seq || a.index - b.index)) {
    const now = event === 'rolled-back' ? previous : event === 'refused' ? undefined : release;
    const last = ran.pop();
    if (last !== undefined)
      ran.push(now === undefined || (event === 'rolled-back' && last.release === now) ? last : { ...last, until: at });
    if (now !== undefined && !(event === 'rolled-back' && last?.release === now)) ran.push({ site, release: now, since: at, until: null });
  }
  return ran;
}

export const sitesIn = (history: History, when: When): readonly string[] => counted(history, 'site', when).map(({ site }) => site);
const histories: { readonly history: History; readonly context: AuditContext }[] = [];

/** Tells the histories. */
export async function tellHistories(): Promise<void> {
  for (const plan of fc.sample(historyPlan, { numRuns: 10, seed: SEED })) {
    const history = tellHistory(plan);
    histories.push({ history, context: await history.lane.open() });
  }
}

/** Closes them. */
export async function closeHistories(): Promise<void> {
  // test files may share this module
  for (const { history } of histories.splice(0)) await history.lane.close();
}

/** Asks each history at several pairs of times. */
export async function everyTime(ask: (history: History, context: AuditContext, when: When) => Promise<void>): Promise<void> {
  for (const [at, { history, context }] of histories.entries()) {
    const [asOf, asKnown] = [timeAt(at), timeAt(1 + (at % 8))];
    const times = [{}, { asOf }, { asKnown }, { asOf, asKnown }].filter((when) => isKnown(history, when));
    for (const when of times) await ask(history, context, when);
  }
}

/** Whether witnesses had seen anything by then. */
function isKnown({ told }: History, { asKnown = '9999' }: When): boolean {
  return told.some(({ witnessed }) => witnessed <= asKnown);
}
