/** Which hardware at the sites is covered by which passing runs of a release, on which units: what the hardware gate reads, in full. */
import { AuditorError, type Digest, type FoundHardware, foundHardware, type JsonObject } from '@sealane/core';
import { type CoveredClass, encodePolicy, type FleetSite, policyDigest, reportHardware } from '@sealane/trust';
import { type AuditContext, policyOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsIn, factsOf, lastPolicy } from './facts.js';
import { type Answered, type Asked, inquire, type Inquiry, releaseNamed, timeOf } from './inquiry.js';
import { type HistoryPart, historyParts, lastTold, runsNow, stillSites } from './history-part.js';

/** `covered` are the sites of which the machine and every device are; the others come with the reason. `problems`: why runs do not count. */
export interface Coverage {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
  readonly stage: string;
  readonly classes: readonly CoveredClass[];
  readonly covered: readonly string[];
  readonly uncovered: readonly { readonly site: string; readonly why: string }[];
  /** Sites whose hardware nobody knows: never reported, or unreadable. */
  readonly unknown: readonly { readonly site: string; readonly why: string }[];
  readonly problems: readonly string[];
  /** The receipt in which each site told last what hardware it has: older than that nothing is known of it. */
  readonly reports: readonly { readonly site: string; readonly at: string; readonly receipt: Digest }[];
}

/**
 * Answers "was the release tested on the hardware of the sites?", for the sites of a stage (default: the last) or one of them. Without a release it is
 * about the one that the stage let in last.
 *
 * @throws AuditorError `RELEASE_UNKNOWN`, `STAGE_UNKNOWN`
 */
export async function coverage(
  context: AuditContext,
  named: string | undefined,
  { stage = lastPolicy(context).stage, site }: { readonly stage?: string | undefined; readonly site?: string | undefined },
  asked: Asked = {},
): Promise<Answered<Coverage>> {
  const policy = policyOf(context, stage);
  const words = `coverage ${named === undefined ? '' : `${named} `}at ${site ?? stage}`;
  return await inquire(context, words, asked, async (inquiry) => {
    const release = named === undefined ? await lastLetIn(inquiry, stage) : await releaseNamed(inquiry.context, named);
    const [described] = await factsIn(inquiry, FACT.release, await inquiry.context.ledger.statementsAbout(release, FACT.release.type));
    const time = await timeOf(inquiry);
    const sites = await sitesOf(inquiry, stage, site);
    const report = reportHardware(
      {
        release,
        releaseDoc: described?.said ?? { name: '', version: '', components: [] },
        stage,
        policy,
        policyDigest: policyDigest(encodePolicy(policy)),
        rollout: policy.groups.map(({ name }) => name),
        statements: (await runsOf(inquiry, release)).map(({ verified }) => verified),
        blob: inquiry.context.readBlob,
        fleet: sites.map(fleetSite),
        time: { lowest: time, highest: time },
      },
      policy.gates.find(({ use }) => use === 'hardware')?.with ?? {},
    );
    const named_ = { name: described?.said.name ?? '', version: described?.said.version ?? '' };
    return { release, ...named_, stage, ...sorted(report), reports: sites.flatMap(reportOf) };
  });
}

async function lastLetIn(inquiry: Inquiry, stage: string): Promise<Digest> {
  const decisions = await factsOf(inquiry, FACT.decision);
  const last = decisions.filter(({ said }) => said.verificationResult === 'PASSED' && said.sealane_promotion.to === stage).at(-1);
  if (last !== undefined) return last.said.sealane_promotion.release;
  throw new AuditorError('RELEASE_UNKNOWN', `look up what ${stage} let in last: there is no such release in the ledger`);
}

/** What the gate reads beside the fleet: test results about the release, rigs and what was recalled. */
async function runsOf(inquiry: Inquiry, release: Digest): Promise<readonly Awaited<ReturnType<typeof factsIn>>[number][]> {
  const tests = await factsIn(inquiry, FACT.test, await inquiry.context.ledger.statementsAbout(release, FACT.test.type));
  const rigs = [...(await factsOf(inquiry, FACT.rig)), ...(await factsOf(inquiry, FACT.rigRebuild))];
  return [...tests, ...rigs, ...(await factsOf(inquiry, FACT.recall))];
}

async function sitesOf(inquiry: Inquiry, stage: string, site: string | undefined): Promise<readonly HistoryPart[]> {
  return stillSites(await historyParts(inquiry, lastTold, { stage, site }));
}

function reportOf({ site, receipts }: HistoryPart): Coverage['reports'] {
  const last = receipts.at(-1);
  return last === undefined ? [] : [{ site, at: last.at, receipt: last.statementDigest }];
}

/** By the very inventory: the ledger gives the same receipt again for as long as it keeps it. */
const known = new WeakMap<JsonObject, FoundHardware>();

function foundOnce(hardware: JsonObject): FoundHardware {
  const found = known.get(hardware) ?? foundHardware(hardware);
  known.set(hardware, found);
  return found;
}

function fleetSite(part: HistoryPart): FleetSite {
  const last = part.receipts.at(-1);
  if (last === undefined) return { site: part.site, hardware: null, reportedAt: null };
  const { hardware, at } = last;
  return { site: part.site, hardware: foundOnce(hardware), reportedAt: at, running: runsNow(part)?.release ?? null };
}

function sorted(report: ReturnType<typeof reportHardware>): Pick<Coverage, 'classes' | 'covered' | 'uncovered' | 'unknown' | 'problems'> {
  const inState = (wanted: string): { site: string; why: string }[] =>
    report.sites.filter(({ state }) => state === wanted).map(({ site, why }) => ({ site, why }));
  return {
    classes: report.classes,
    covered: inState('covered').map(({ site }) => site),
    uncovered: inState('uncovered'),
    unknown: inState('silent'),
    problems: report.problems,
  };
}
