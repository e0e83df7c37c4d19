/** The sites of a rollout beside the tested devices: which are covered, which are not and why, of which nothing is known. */
import { counted, type DeviceKind, type FoundHardware, partName } from '@sealane/core';
import { timeToSeconds } from '../time.js';
import type { GateContext } from './gate.js';
import { type Coverage, coverageOf, type TestedDevice } from './hardware-coverage.js';

/** What of the gate's settings is about sites. */
export interface SiteRules {
  readonly unknown: 'exclude' | 'refuse';
  readonly minUnits: number;
  readonly inventoryMaxAgeDays?: number;
}

/** One site, judged; `why` is empty for a covered one. */
export interface JudgedSite {
  readonly site: string;
  readonly state: 'covered' | 'uncovered' | 'silent';
  readonly why: string;
}

/** Sites named in a verdict; the counts are of all. */
const MAX_NAMED = 10;
/** Longest reason for one site, in UTF-16 units: one long list of firmware must not push other sites out of a verdict. */
const MAX_WHY = 120;
const SECONDS_A_DAY = 86_400;

/** Judges every site: the machine and each device attached to it must be covered by enough units. */
export function judgeSites(context: GateContext, rules: SiteRules, tested: readonly TestedDevice[]): readonly JudgedSite[] {
  const { hardware: policy } = context.policy;
  const coverage = coverageOf({ tested, policy, at: context.time.highest, enough: rules.minUnits });
  const judge = judgedOnce((hardware) => judgeHardware(hardware, coverage, rules));
  return context.fleet.map(({ site, hardware, reportedAt }) => {
    if (hardware === null) return { site, state: 'silent', why: 'it never reported its hardware' };
    if (isStale(context, rules, reportedAt))
      return { site, state: 'silent', why: `its inventory is of ${reportedAt ?? 'an unknown time'}` };
    return { site, ...judge(hardware) };
  });
}

type Judged = Omit<JudgedSite, 'site'>;

/** Sites of one kind may share one description: it is judged once. */
function judgedOnce(judge: (hardware: FoundHardware) => Judged): (hardware: FoundHardware) => Judged {
  const known = new Map<FoundHardware, Judged>();
  return (hardware) => {
    const judged = known.get(hardware) ?? judge(hardware);
    known.set(hardware, judged);
    return judged;
  };
}

function judgeHardware(hardware: FoundHardware, coverage: (device: DeviceKind) => Coverage, { minUnits }: SiteRules): Judged {
  if ('unreadable' in hardware) return { state: 'silent', why: hardware.unreadable };
  for (const device of hardware.devices) {
    const { units, why } = coverage(device);
    if (units < minUnits)
      return { state: 'uncovered', why: nameOf(device) + (units > 0 ? `covered by ${counted(units, 'unit')} only` : why) };
  }
  return { state: 'covered', why: '' };
}

/** Why the fleet as a whole refuses. Leaving sites out must leave a site that could take the release. */
export function refusalOf(sites: readonly JudgedSite[], { unknown }: SiteRules): string | undefined {
  const [uncovered, silent] = [count(sites, 'uncovered'), count(sites, 'silent')];
  if (unknown === 'refuse') {
    if (sites.length === 0) return 'no site is known, and unknown is refused';
    return uncovered + silent > 0 ? `${counted(uncovered, 'site')} uncovered, ${silent} unknown` : undefined;
  }
  return sites.length > 0 && uncovered === sites.length ? 'no site is covered' : undefined;
}

/** The counts, and the first sites that are not covered with what is different there. */
export function describeSites(sites: readonly JudgedSite[], units: number): string {
  const others = sites.filter(({ state }) => state !== 'covered');
  const head = `${sites.length - others.length} of ${counted(sites.length, 'site')} covered by ${counted(units, 'tested unit')}`;
  const named = others.slice(0, MAX_NAMED).map(({ site, state, why }) => `${site} is ${state} (${cut(why)})`);
  const rest = others.length - named.length;
  return [head, ...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

/** A site whose clock runs far ahead says as little about today as one that was silent as long. */
function isStale(context: GateContext, { inventoryMaxAgeDays }: SiteRules, reportedAt: string | null): boolean {
  if (inventoryMaxAgeDays === undefined) return false;
  if (reportedAt === null) return true;
  const ageSeconds = Math.abs(timeToSeconds(context.time.highest) - timeToSeconds(reportedAt));
  return ageSeconds > inventoryMaxAgeDays * SECONDS_A_DAY;
}

/** Says which of the attached devices it is about; the machine itself needs no name. */
function nameOf({ role, facts }: DeviceKind): string {
  return role === 'host' ? '' : `${role} ${partName(facts) || 'of unknown make'}: `;
}

function count(sites: readonly JudgedSite[], wanted: JudgedSite['state']): number {
  return sites.filter(({ state }) => state === wanted).length;
}

function cut(text: string): string {
  return text.length <= MAX_WHY ? text : `${text.slice(0, MAX_WHY - 2).replace(/[\uD800-\uDBFF]$/, '')} …`;
}
