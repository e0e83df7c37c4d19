/** Step 8: the gates of this stage's policy, evaluated again by the site, at the time that witnesses saw the decision. */
import { type Check, type Digest, type ErrorCode, ERRORS, foundHardware, LIMITS, PREDICATE } from '@sealane/core';
import type { ReleasePredicate } from '../evidence/predicates/release.js';
import type { VerifiedStatement } from '../evidence/statement-checks.js';
import { refusedExceptions } from '../gates/exceptions.js';
import type { FleetSite, GateInput } from '../gates/gate.js';
import { hardwareGate } from '../gates/hardware.js';
import { evaluateGates, GATES } from '../gates/index.js';
import { PROMOTER_VERDICTS } from '../gates/promoter-verdicts.js';
import { topologyGate } from '../gates/topology.js';
import type { Floor, Policy, PolicyGate } from '../policy/policy-types.js';
import { approvalsFrom, type StageDecision } from './decision-step.js';
import { blobPath, type LaneReader } from './lane-reader.js';
import type { SiteRecordPredicate } from '../evidence/predicates/site-record.js';
import type { InstalledRelease, SiteFacts } from './types.js';
import type { WaybillStatements } from './waybill-step.js';

/** What the gates are evaluated over. */
export interface GateQuestion {
  readonly release: Digest;
  readonly releaseDoc: ReleasePredicate;
  readonly policy: Policy;
  readonly policyDigest: Digest;
  readonly decision: StageDecision;
  readonly floors: readonly Floor[];
  readonly site: SiteFacts;
  readonly record: SiteRecordPredicate;
  /** What the site runs. */
  readonly installed: InstalledRelease | null;
}

/** The checks of stage order and of every gate that sites re-check. Never throws. */
export function recheckGates(reader: LaneReader, found: WaybillStatements, question: GateQuestion): readonly Check[] {
  const { release, releaseDoc, policy, policyDigest, decision, floors } = question;
  const { witnessed } = decision.from;
  // A decision out of a bundle always has its checkpoint; without one nothing was witnessed, and nothing passes.
  if (witnessed === null) return [unwitnessed(decision)];
  const input: GateInput = {
    release,
    releaseDoc,
    stage: policy.stage,
    policy: { ...policy, gates: policy.gates.filter(isRechecked).map(atSite) },
    signedGates: policy.gates,
    policyDigest,
    rollout: decision.predicate.sealane_promotion.rollout,
    statements: found.statements.filter((each) => countsFor(decision, floors, each)),
    refused: found.refused,
    // the gate compares the bytes with the digest, and names a blob that is absent or wrong
    blob: (digest) => reader.file(blobPath(digest), LIMITS.evidenceBlobBytes),
    fleet: [thisSite(question, witnessed.highest)],
    time: witnessed,
    groups: policy.groups,
    replaces: replacedHere(question),
  };
  return [...evaluateGates(input), ...refusedExceptions(input, decision.predicate.sealane_promotion.checks)];
}

/**
 * What the release takes the place of here: what runs, unless that came after it. A channel that goes back to an earlier release asks for the way that
 * was rehearsed for the later one.
 */
function replacedHere({ installed, decision }: GateQuestion): readonly Digest[] {
  return installed === null || installed.counter > decision.counter ? [] : [installed.release];
}

/** The fleet as a site sees it: itself. */
function thisSite({ site, record }: GateQuestion, reportedAt: string): FleetSite {
  const hardware = site.hbom === null ? null : foundHardware(site.hbom);
  return { site: site.name, hardware, reportedAt, ...(record.topology === undefined ? {} : { topology: record.topology }) };
}

function unwitnessed({ from }: StageDecision): Check {
  return {
    id: 'witnessed',
    verdict: 'error',
    code: 'LOG_WITNESS',
    expected: 'a decision under a checkpoint that witnesses cosigned',
    actual: `decision ${from.digest} without one`,
    remedy: ERRORS.LOG_WITNESS.hint,
    evidence: [from.digest],
  };
}

/** A gate that only the promoter can judge is its signed verdict; one that nobody here knows is evaluated, and refuses. */
function isRechecked({ use }: PolicyGate): boolean {
  return !PROMOTER_VERDICTS.includes(use) && (GATES.find(({ id }) => id === use)?.recheckedAtSite ?? true);
}

/** Gates that may leave sites out of the fleet. */
const LEAVING_OUT: readonly string[] = [hardwareGate.id, topologyGate.id];

/** The fleet may leave sites out; a site that is not covered, or does not know its own hardware or topology, cannot leave out itself. */
function atSite(gate: PolicyGate): PolicyGate {
  return LEAVING_OUT.includes(gate.use) ? { use: gate.use, with: { ...gate.with, unknown: 'refuse' } } : gate;
}

/** What a decision rests on was logged before it; approvals also at or after the floors. Revocations and recalls count whenever they were logged. */
function countsFor(decision: StageDecision, floors: readonly Floor[], { logIndex, statement }: VerifiedStatement): boolean {
  if (statement.predicateType === PREDICATE.revocation || statement.predicateType === PREDICATE.recall) return true;
  if (statement.predicateType === PREDICATE.approval && logIndex < approvalsFrom(decision, floors)) return false;
  return logIndex < decision.from.logIndex;
}

/** The rows of THREATS.md in their order: when several checks fail, the first of these is the reason. */
const ORDER: readonly ErrorCode[] = [
  'WAYBILL_STAGE_ORDER',
  'WAYBILL_SUBJECT',
  'WAYBILL_SIGNATURE',
  'KEY_REVOKED',
  'EVIDENCE_SUBJECT',
  'EVIDENCE_SIGNER',
  'SIGNER_CERTIFICATE',
  'SIGNER_TIME',
  'EVIDENCE_SCOPE',
  'CONTENT_DIGEST',
  'CONTENT_MISSING',
  'EVIDENCE_RESULT',
  'EVIDENCE_RIG',
  'WAYBILL_APPROVALS',
  'RELEASE_REVOKED',
  'HARDWARE_UNCOVERED',
  'EVIDENCE_TOPOLOGY',
  'EVIDENCE_FIDELITY',
  'EVIDENCE_CONDITIONS',
  'EVIDENCE_ROLLBACK',
  'EXCEPTION_INVALID',
];

/** The check that gives the reason of a refusal: the first in the order of THREATS.md; undefined when all pass. */
export function worstOf(checks: readonly Check[]): Check | undefined {
  const rank = ({ code }: Check): number => (code === undefined || !ORDER.includes(code) ? ORDER.length : ORDER.indexOf(code));
  return checks.filter(({ verdict }) => verdict !== 'pass').sort((left, right) => rank(left) - rank(right))[0];
}
