/** Sites that run something else than they were told to, and for how long. */
import type { Digest } from '@sealane/core';
import { timeToSeconds } from '@sealane/trust';
import { assignmentsOf, groupOf } from './assignments.js';
import { type AuditContext, policyOf } from './context.js';
import { type Answered, type Asked, inquire, timeOf } from './inquiry.js';
import { historyParts, lastTold, runsNow, stillSites } from './history-part.js';

export interface Drift {
  readonly drifted: readonly {
    readonly site: string;
    readonly stage: string;
    readonly group: string | null;
    readonly assigned: Digest | null;
    readonly running: Digest | null;
    /** From when the two have differed by what the site told: the later of being told and of running what it runs. */
    readonly since: string;
    readonly seconds: number;
    /** The order about the site that stands: it explains a difference. */
    readonly ordered: 'fence' | 'drain' | null;
    readonly lastReport: string | null;
    /** Why it refused or went back, by its last receipt that is no summary. */
    readonly reason: string | null;
  }[];
  /** Sites that run what they were told to. */
  readonly asAssigned: readonly string[];
}

/** Answers "which sites drifted from what was assigned?". @throws AuditorError `STAGE_UNKNOWN`; `LOG_WITNESS` */
export async function drift(context: AuditContext, stage: string | undefined, asked: Asked = {}): Promise<Answered<Drift>> {
  const stages = stage === undefined ? context.policies : [policyOf(context, stage)];
  return await inquire(context, `drift${stage === undefined ? '' : ` in ${stage}`}`, asked, async (inquiry) => {
    const now = await timeOf(inquiry);
    const drifted: Drift['drifted'][number][] = [];
    const asAssigned: string[] = [];
    const sites = stillSites(await historyParts(inquiry, lastTold, { stage }));
    for (const policy of stages) {
      const { byGroup, ordered } = await assignmentsOf(inquiry, policy.stage);
      for (const history of sites.filter(({ record }) => record.said.stage === policy.stage)) {
        const group = groupOf(policy, history.record.said.labels);
        const assigned = group === undefined ? undefined : byGroup.get(group);
        const running = runsNow(history);
        const last = history.receipts.at(-1);
        const lastOfEvent = history.receipts.findLast(({ event }) => event !== 'summed-up');
        if ((assigned?.release ?? null) === (running?.release ?? null)) {
          asAssigned.push(history.site);
          continue;
        }
        const since = [assigned?.at ?? '', running?.since ?? '', history.record.at].sort().at(-1) ?? now;
        drifted.push({
          site: history.site,
          stage: policy.stage,
          group: group ?? null,
          assigned: assigned?.release ?? null,
          running: running?.release ?? null,
          since,
          seconds: Math.max(0, timeToSeconds(now) - timeToSeconds(since)),
          ordered: ordered.get(history.site) ?? null,
          lastReport: last?.at ?? null,
          reason: lastOfEvent?.reason ?? null,
        });
      }
    }
    return { drifted, asAssigned };
  });
}
