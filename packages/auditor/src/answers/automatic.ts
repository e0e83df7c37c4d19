/** What happened without a person: verdicts of gates, refusals and rollbacks of sites, freezes that ended; by whose rule, set off by what, and the way back. */
import type { Digest } from '@sealane/core';
import { decisionPolicy, type Policy } from '@sealane/trust';
import { type AuditContext, policyOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsOf } from './facts.js';
import { type Answered, type Asked, inquire, timeOf } from './inquiry.js';
import { type Choice, type HistoryPart, historyParts } from './history-part.js';

export interface Automatic {
  readonly acts: readonly {
    readonly act: 'passed by gates' | 'refused by gates' | 'refused by a site' | 'rolled back by a site' | 'freeze ended';
    readonly at: string;
    readonly where: string;
    readonly release: Digest | null;
    /** Whose rule it was: the policy that the owners signed, or the registrar's site under its own configuration. */
    readonly owner: string;
    readonly trigger: string;
    /** How it is, or was, undone. */
    readonly wayBack: string;
    readonly statement: Digest;
  }[];
}

type Act = Automatic['acts'][number];

/** Answers "which acts were automatic, by whose rule, and how are they undone?". @throws AuditorError `STAGE_UNKNOWN`; `LOG_WITNESS` */
export async function automatic(context: AuditContext, stage: string | undefined, asked: Asked = {}): Promise<Answered<Automatic>> {
  if (stage !== undefined) policyOf(context, stage);
  return await inquire(context, `automatic${stage === undefined ? '' : ` in ${stage}`}`, asked, async (inquiry) => {
    const isMeant = (one: string): boolean => stage === undefined || one === stage;
    const decided = (await factsOf(inquiry, FACT.decision)).filter(({ said }) => isMeant(said.sealane_promotion.to));
    const now = await timeOf(inquiry);
    const frozen = (await factsOf(inquiry, FACT.order)).filter(({ said }) => said.order === 'freeze' && isMeant(said.stage));
    const ended = frozen.filter(({ said }) => said.expiresAt !== null && said.expiresAt <= now);
    const acts: readonly Act[] = [
      ...decided.map(({ said, at, entry }): Act => {
        const { to, release, checks } = said.sealane_promotion;
        const failing = checks.filter(({ verdict }) => verdict !== 'pass').map(({ id, actual }) => `${id}: ${actual}`);
        const isPassed = said.verificationResult === 'PASSED';
        return {
          act: isPassed ? 'passed by gates' : 'refused by gates',
          at,
          where: to,
          release,
          owner: `policy ${decisionPolicy(said)}`,
          trigger: isPassed ? `asked for, and ${checks.length} gates held` : failing.join('; '),
          wayBack: isPassed ? `sealane channel rollback ${to}` : `mend what failed and promote again`,
          statement: entry.statementDigest,
        };
      }),
      ...(await historyParts(inquiry, byThemselves, { stage })).flatMap((part) => actsOf(part, policyOf(context, part.record.said.stage))),
      ...ended.map(({ said, entry }): Act => ({
        act: 'freeze ended',
        at: said.expiresAt ?? '',
        where: said.stage,
        release: null,
        owner: `stage ${said.stage}: ${said.reason}`,
        trigger: 'its time was over',
        wayBack: `sealane freeze ${said.stage}`,
        statement: entry.statementDigest,
      })),
    ];
    return { acts: [...acts].sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at))) };
  });
}

/** What a site did by itself. */
const byThemselves: Choice = { of: (chain) => chain.filter(({ event }) => event === 'refused' || event === 'rolled-back') };

function actsOf({ site, record, receipts }: HistoryPart, { version }: Policy): readonly Act[] {
  const owner = `site ${site}, enrolled by ${record.entry.keyId}, under its own site.yaml and policy version ${version} or earlier`;
  return receipts.flatMap(({ event, at, release, previous, reason, statementDigest: statement }): readonly Act[] => {
    if (event === 'refused')
      return [
        {
          act: 'refused by a site',
          at,
          where: site,
          release,
          owner,
          trigger: reason ?? 'not said',
          wayBack: 'it kept what ran; promote what it takes',
          statement,
        },
      ];
    if (event === 'rolled-back')
      return [
        {
          act: 'rolled back by a site',
          at,
          where: site,
          release,
          owner,
          trigger: reason ?? 'not said',
          wayBack: `it runs ${previous ?? 'nothing'} again, and does not try this release a second time`,
          statement,
        },
      ];
    return [];
  });
}
