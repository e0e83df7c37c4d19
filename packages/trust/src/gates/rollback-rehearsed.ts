/** Rollback rehearsed: going back from this release to each one that it replaces was done in the stage before, and did not take too long. */
import { type Check, counted, type Digest } from '@sealane/core';
import { z } from 'zod';
import { timeToSeconds } from '../time.js';
import { failed, passed, type RefusalWords } from './check-result.js';
import { defineGate, type GateContext, type Problem } from './gate.js';
import { irreversibleGate } from './irreversible.js';
import { type DocumentedRun, documentedRuns } from './run-documents.js';
import type { Rehearsal } from '../reports/rehearsal.js';
import { siteRollbacks, type WayBack } from './site-rollbacks.js';

const MAX_SECONDS = 604_800;
const SECONDS_A_DAY = 86_400;

const configSchema = z.strictObject({
  /** From the order to go back until the release before is healthy again. */
  withinSeconds: z.int().min(1).max(MAX_SECONDS),
  /** Days after which a rehearsal says nothing any more. */
  maxAgeDays: z.number().positive().max(3660).exactOptional(),
  /** Different sites or benches that must have gone each way back. */
  minSites: z.int().min(1).max(64).default(1),
});

type Config = z.output<typeof configSchema>;

/** `rollback-rehearsed` gate. At a site the release to go back to is the one that runs there. */
export const rollbackRehearsedGate = defineGate({
  id: 'rollback-rehearsed',
  summary: 'going back to each release that it replaces was rehearsed in the stage before',
  recheckedAtSite: true,
  reads: 'evidence',
  configSchema,
  evaluate: evaluateRehearsed,
});

function evaluateRehearsed(context: GateContext, config: Config): Check {
  const id = rollbackRehearsedGate.id;
  const stages = context.policy.chain.find((link) => link.stage === context.stage)?.from ?? [];
  const expected = describeWish(stages, config);
  const refuse = (words: Pick<RefusalWords, 'actual' | 'code' | 'evidence'>, to?: Digest): Check =>
    failed(id, { expected, remedy: remedyOf(context, stages, to), ...words });
  const replaced = replacedBy(context);
  if (replaced === undefined) return refuse({ actual: 'what it replaces is not known', code: 'EVIDENCE_ROLLBACK', evidence: [] });
  if (replaced.length === 0) return passed(id, { expected, actual: describeFirst(context), evidence: [] });
  if (context.releaseDoc.irreversible === true) return judgeOneWay(context, expected, refuse);
  if (stages.length === 0)
    return refuse({ actual: `${context.stage} takes from no stage`, code: 'EVIDENCE_ROLLBACK', evidence: [] }, replaced[0]);
  const rehearsed = documentedRuns(context, 'rehearsal', context.rehearsal, 'EVIDENCE_ROLLBACK');
  if (!rehearsed.ok && rehearsed.isNone !== true)
    return refuse({ ...asActual(rehearsed.problem), evidence: rehearsed.evidence }, replaced[0]);
  const ways = [...siteRollbacks(context, stages), ...(rehearsed.ok ? rehearsed.runs.flatMap((run) => writtenDown(run, stages)) : [])];
  const judged = replaced.map((to) => judgeWays(context, config, to, ways));
  const evidence = judged.flatMap((each) => each.evidence);
  const lacking = judged.find(({ problem }) => problem !== undefined);
  const actual = judged.map(({ says }) => says).join('; ');
  // where nobody went back anywhere, why a lab's word does not count says more
  if (lacking !== undefined && ways.length === 0 && !rehearsed.ok)
    return refuse({ actual: `${actual}; ${rehearsed.problem.why}`, code: rehearsed.problem.code, evidence }, lacking.to);
  if (lacking !== undefined) return refuse({ actual, code: 'EVIDENCE_ROLLBACK', evidence }, lacking.to);
  return passed(id, { expected, actual, evidence });
}

/** The other releases that this one takes the place of; undefined when that is not known. */
function replacedBy({ replaces, fleet, release }: GateContext): readonly Digest[] | undefined {
  if (replaces === undefined) return undefined;
  const running = fleet.flatMap((site) => site.running ?? []);
  return [...new Set([...replaces, ...running])].filter((digest) => digest !== release).sort();
}

function describeFirst({ fleet }: GateContext): string {
  const silent = fleet.filter(({ running }) => running === undefined).length;
  return `it replaces nothing: no other release was let in before for these groups, and none of ${counted(fleet.length, 'site')} says that it runs one (${silent} never reported)`;
}

/** What has no way back cannot be rehearsed; then people have to know that, which is a gate of its own. */
function judgeOneWay(
  { releaseDoc, policy }: GateContext,
  expected: string,
  refuse: (words: Pick<RefusalWords, 'actual' | 'code' | 'evidence'>) => Check,
): Check {
  const parts = releaseDoc.components.filter(({ oneWay }) => oneWay === true).map(({ name }) => name);
  const actual = `cannot be rehearsed: there is no way back from ${parts.join(', ') || 'this release'}`;
  if (policy.gates.some(({ use }) => use === irreversibleGate.id))
    return passed(rollbackRehearsedGate.id, { expected, actual: `${actual}; gate ${irreversibleGate.id} decides`, evidence: [] });
  return refuse({ actual, code: 'RELEASE_IRREVERSIBLE', evidence: [] });
}

/** What a lab wrote down of its benches. */
function writtenDown({ run, document }: DocumentedRun<Rehearsal>, stages: readonly string[]): readonly WayBack[] {
  if (!stages.includes(document.stage)) return [];
  const { witnessed, logIndex, digest } = run.from;
  return document.rollbacks.map(({ to, seconds, at }) => ({
    place: document.site,
    isOwn: false,
    to,
    seconds,
    at,
    witnessed,
    logIndex,
    evidence: [digest],
  }));
}

/** One release that is replaced: what is said of going back to it, and what of that is wrong or missing. */
interface JudgedRelease {
  readonly to: Digest;
  readonly says: string;
  readonly problem: string | undefined;
  readonly evidence: readonly Digest[];
}

/**
 * The newest rehearsal of each place speaks for it: one that took too long is not made good by an older one, nor by another place, nor by what a lab wrote
 * down of a site that said itself how long it took.
 */
function judgeWays(context: GateContext, config: Config, to: Digest, all: readonly WayBack[]): JudgedRelease {
  const ways = all.filter((each) => each.to === to);
  const told = new Set(ways.filter(({ isOwn, seconds }) => isOwn && seconds !== undefined).map(({ place }) => place));
  const counting = ways.filter((way) => way.isOwn || !told.has(way.place) || whyNot(context, config, way) !== undefined);
  const newest = new Map<string, WayBack>();
  for (const way of counting.sort((left, right) => left.logIndex - right.logIndex)) {
    newest.delete(way.place);
    newest.set(way.place, way);
  }
  const places = [...newest.values()];
  const bad = places.map((way) => ({ way, why: whyNot(context, config, way) })).find(({ why }) => why !== undefined);
  if (bad !== undefined) {
    const says = `back to ${to}: ${bad.way.place}: ${bad.why ?? ''}`;
    return { to, says, problem: bad.why, evidence: bad.way.evidence };
  }
  const enough = places.slice(0, config.minSites);
  const evidence = enough.flatMap((way) => way.evidence);
  const named = enough.map(({ place, seconds }) => `${place} in ${String(seconds)} s`).join(', ') || 'nowhere';
  const says = `back to ${to}: ${named}`;
  return { to, says, problem: enough.length < config.minSites ? 'too few places' : undefined, evidence };
}

function whyNot({ time }: GateContext, { withinSeconds, maxAgeDays }: Config, { seconds, at, witnessed }: WayBack): string | undefined {
  if (seconds === undefined) return 'how long it took is not known';
  if (seconds <= 0) return `${seconds} s is no measurement`;
  if (seconds > withinSeconds) return `it took ${seconds} s`;
  if (maxAgeDays === undefined) return undefined;
  const now = timeToSeconds(time.highest);
  const seen = witnessed === null ? now : Math.min(now, timeToSeconds(witnessed.highest));
  const done = timeToSeconds(at);
  // a clock that runs ahead must not keep a rehearsal young
  if (done > seen) return `it says that it was done at ${at}, after it was logged`;
  return now - done > maxAgeDays * SECONDS_A_DAY ? `it was done at ${at}` : undefined;
}

function asActual({ why, code }: Problem): Pick<RefusalWords, 'actual' | 'code'> {
  return { actual: why, code };
}

function describeWish(stages: readonly string[], { withinSeconds, maxAgeDays, minSites }: Config): string {
  const age = maxAgeDays === undefined ? '' : `, at most ${counted(maxAgeDays, 'day')} ago`;
  return `going back to each release that it replaces, in ${stages.join(', ') || 'a stage before'}, within ${withinSeconds} s, at ${minSites === 1 ? '1 site or bench' : `${minSites} sites or benches`}${age}`;
}

function remedyOf({ release }: GateContext, stages: readonly string[], to = 'DIGEST'): string {
  const byLab = `sealane evidence add ${release} --tests junit.xml --rehearsal rehearsal.yaml --key LAB`;
  return `${byLab}; or at a site of ${stages.join(', ') || 'the stage before'} that runs it: sealane-site rollback ${to}, and bring its receipt`;
}
