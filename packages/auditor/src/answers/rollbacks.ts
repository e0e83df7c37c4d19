/** Every way back: sites that went back by themselves or by hand, and stages that were pointed back, each with its cause. */
import type { Digest } from '@sealane/core';
import type { RecordedCheck } from '@sealane/trust';
import { type AuditContext, policyOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsOf } from './facts.js';
import { type Answered, type Asked, inquire } from './inquiry.js';
import { historiesOf, type SiteHistory } from './site-history.js';

export interface Rollbacks {
  readonly sites: readonly {
    readonly site: string;
    readonly stage: string;
    /** `rolled-back`: by itself; `rollback`: by hand. */
    readonly event: string;
    /** What was left, and what runs since. */
    readonly left: Digest | null;
    readonly runs: Digest | null;
    readonly at: string;
    readonly reason: string | null;
    readonly checks: readonly RecordedCheck[];
    readonly seconds: number | null;
    readonly statement: Digest;
  }[];
  readonly stages: readonly {
    readonly stage: string;
    readonly groups: readonly string[];
    readonly release: Digest | null;
    readonly reason: string;
    readonly at: string;
    readonly statement: Digest;
  }[];
}

/** Answers "what was rolled back, and why?". @throws AuditorError `STAGE_UNKNOWN` */
export async function rollbacks(context: AuditContext, stage: string | undefined, asked: Asked = {}): Promise<Answered<Rollbacks>> {
  if (stage !== undefined) policyOf(context, stage);
  return await inquire(context, `rollbacks${stage === undefined ? '' : ` in ${stage}`}`, asked, async (inquiry) => {
    const orders = (await factsOf(inquiry, FACT.order)).filter(
      ({ said }) => said.order === 'rollback' && (stage === undefined || said.stage === stage),
    );
    const sites: Rollbacks['sites'][number][] = [];
    const back = await inquiry.context.ledger.sitesBack();
    for (const history of await historiesOf(inquiry, back, stage)) sites.push(...waysBackOf(history));
    return {
      sites,
      stages: orders.map(({ said, at, entry }) => {
        return { stage: said.stage, groups: said.groups, release: said.release, reason: said.reason, at, statement: entry.statementDigest };
      }),
    };
  });
}

function waysBackOf({ site, record, receipts }: SiteHistory): Rollbacks['sites'] {
  const back = receipts.filter(({ event }) => event === 'rolled-back' || event === 'rollback');
  return back.map(({ event, release, previous, at, reason, checks, seconds = null, statementDigest: statement }) => {
    const [left, runs] = event === 'rolled-back' ? [release, previous] : [previous, release];
    return { site, stage: record.said.stage, event, left, runs, at, reason, checks, seconds, statement };
  });
}
