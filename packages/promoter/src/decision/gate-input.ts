/** What the gates of a stage read, taken from the ledger: verified statements about a release, blobs, the fleet, the time. */
import { type Digest, PREDICATE, PromoterError, SealaneError } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import {
  evidenceToApprove,
  isAbout,
  isEnrolment,
  type FleetSite,
  fleetSites,
  type GateInput,
  IMAGE_EVIDENCE,
  imagePartsOf,
  type RefusedStatement,
  type ReleasePredicate,
  secondsToTime,
  type VerifiedStatement,
  type VerifyTrust,
  verifyTrustOf,
  type WitnessedTime,
} from '@sealane/trust';
import { promoterGates } from '@sealane/trust/promoter-gates';
import { withDocuments } from '../archive/documents.js';
import { readBlob } from '../content.js';
import { type Promoter, stageOf } from '../promoter.js';
import { statementOf } from '../log/log-statements.js';
import { manifestOf } from '../release/manifest.js';
import { stated, statedIn } from '../release/stated.js';
import { rigStatements } from '../rig/statements.js';
import { registrarsOf, retiredSites } from '../site/in-force.js';
import { rolloutOf } from './rollout.js';
import type { GateSource, Question } from './gate-source.js';
import { checkSignatures, enrolledTrust, headQuorum, verifyEntry } from './verify-entry.js';
import { seenHere } from './seen-checkpoints.js';
import { asksForWaysBack, replacedReleases, waysBack } from './ways-back.js';

/**
 * `witnessed`: the latest quorum checkpoint's times, which alone decide. `expected`: those that witnesses would give now, if this host's clock
 * is right. Or a time that is given, to see what would be then.
 */
export type JudgedAt = 'witnessed' | 'expected' | WitnessedTime;

/**
 * Everything that the gates of a stage read about a release.
 *
 * @throws PromoterError `RELEASE_UNKNOWN`, `STAGE_UNKNOWN`
 */
export async function gateInput(promoter: GateSource, question: Question, at: JudgedAt): Promise<GateInput> {
  const { policy, digest: policyDigest } = stageOf(promoter, question.stage);
  const releaseDoc = await releaseDocument(promoter, question.release);
  // the fleet is read while signatures are checked
  const [{ statements, refused }, fleet] = await Promise.all([
    verifiedStatements(promoter, question, releaseDoc),
    fleetOf(promoter, question),
  ]);
  const read = await withDocuments(
    promoter,
    statements.map(({ statement }) => statement),
  );
  return {
    ...question,
    releaseDoc,
    policy,
    policyDigest,
    statements,
    refused,
    blob: (digest) => readBlob(read, digest),
    fleet,
    time: await timeOf(promoter, question.stage, at),
    groups: policy.groups,
    ...(asksForWaysBack(policy) ? { replaces: await replacedReleases(promoter, question) } : {}),
  };
}

/** The statement digests of the evidence that the gates of a stage would read now: what an approver has to have seen. */
export async function evidenceFor(promoter: Promoter, release: Digest, stage: string): Promise<readonly Digest[]> {
  const { policy } = stageOf(promoter, stage);
  const input = await gateInput(promoter, { release, stage, rollout: rolloutOf(promoter, stage) }, 'expected');
  return evidenceToApprove(input, await promoterGates(policy.gates.map(({ use }) => use)));
}

async function verifiedStatements(
  promoter: GateSource,
  question: Question,
  releaseDoc: ReleasePredicate,
): Promise<{ statements: readonly VerifiedStatement[]; refused: readonly RefusedStatement[] }> {
  const { release, stage } = question;
  const about = await promoter.ledger.evidenceAbout(release);
  const { rigs, trust } = await stageTrust(promoter, stage, about);
  const ways = await waysBack(promoter, question);
  const records = ways.filter((entry) => isEnrolment(statementOf(entry)));
  const withSites = enrolledTrust(trust, (await verifyEntries(promoter, records, trust)).statements);
  const images = await aboutImages(promoter, release, releaseDoc);
  return await seenHere(promoter, await verifyEntries(promoter, [...about, ...images, ...rigs, ...ways], withSites));
}

/** What statements about a release are verified against: the policy of a stage, and the keys of the rigs that tested it, with what is said of those. */
export async function stageTrust(
  promoter: GateSource,
  stage: string,
  about: readonly LedgerEntry[],
): Promise<{ readonly rigs: readonly LedgerEntry[]; readonly trust: VerifyTrust }> {
  const policyTrust = verifyTrustOf(stageOf(promoter, stage).policy);
  const rigs = await rigStatements(promoter, about);
  return { rigs, trust: enrolledTrust(policyTrust, (await verifyEntries(promoter, rigs, policyTrust)).statements) };
}

/** Verifies entries of the ledger; those that do not count come with the reason. */
async function verifyEntries(
  promoter: GateSource,
  entries: readonly LedgerEntry[],
  trust: VerifyTrust,
): Promise<{ statements: readonly VerifiedStatement[]; refused: readonly RefusedStatement[] }> {
  const statements: VerifiedStatement[] = [];
  const refused: RefusedStatement[] = [];
  await checkSignatures(entries);
  for (const entry of entries) {
    const { predicateType } = entry.statement;
    try {
      statements.push(await verifyEntry(promoter, entry, trust));
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      refused.push({ digest: entry.statementDigest, predicateType, code: error.code, why: error.message });
    }
  }
  return { statements, refused };
}

/** Such evidence about the images of a release, and about each platform of them, that does not name the release as well. */
export async function aboutImages(promoter: GateSource, release: Digest, releaseDoc: ReleasePredicate): Promise<readonly LedgerEntry[]> {
  const images = imagePartsOf({ releaseDoc, blob: (digest) => readBlob(promoter, digest) });
  // an image that cannot be read is named by the gate that asks for it
  if (!images.ok) return [];
  const digests = images.value.flatMap((image) => [image.digest, ...image.platforms]);
  const found = new Map<number, LedgerEntry>();
  for (const digest of new Set(digests)) {
    for (const entry of await promoter.ledger.statementsAbout(digest, IMAGE_EVIDENCE)) found.set(entry.index, entry);
  }
  return [...found.values()].filter((entry) => !isAbout(statementOf(entry), release));
}

/**
 * Name, version and components of a release, as its manifest says: the manifest's digest is the release. A statement that says anything else, whoever signed it, is of
 * none: gates would judge parts that no site lays down.
 */
export async function releaseDocument(promoter: GateSource, release: Digest): Promise<ReleasePredicate> {
  const entries = await promoter.ledger.statementsAbout(release, PREDICATE.release);
  const manifest = manifestOf(promoter, release);
  const documents = entries.flatMap((entry) => statedIn(statementOf(entry)) ?? []);
  const found = documents.find((document) => manifest === undefined || stated(document) === stated(manifest));
  if (found === undefined)
    throw new PromoterError('RELEASE_UNKNOWN', `look up release ${release}: there is no such release in the ledger`, { release });
  return found;
}

/** Each site of the rollout that is enrolled and not retired: the topology of its record, and what it last reported by its own receipts. */
async function fleetOf(promoter: GateSource, { stage, rollout }: Question): Promise<readonly FleetSite[]> {
  const { policy } = stageOf(promoter, stage);
  const selectors = policy.groups.filter(({ name }) => rollout.includes(name));
  const retired = await retiredSites(promoter, policy);
  return fleetSites(
    (await promoter.ledger.fleet(stage, undefined, registrarsOf(policy))).filter(({ site }) => !retired.has(site)),
    selectors,
  );
}

/** The time at which a question is judged. Only a lane that no witness has seen yet falls back to the host's clock. */
export async function timeOf(promoter: GateSource, stage: string, at: JudgedAt): Promise<WitnessedTime> {
  if (typeof at === 'object') return at;
  const note = await promoter.ledger.latestCosigned();
  const trust = verifyTrustOf(stageOf(promoter, stage).policy);
  const log = trust.logs.find(({ origin }) => origin === promoter.ledger.origin);
  const now = promoter.now();
  if (note === null || log === undefined) return { lowest: now, highest: now };
  const { lowestSeconds, highestSeconds } = headQuorum(note, log, trust);
  const [lowest, highest] = [secondsToTime(lowestSeconds), secondsToTime(highestSeconds)];
  return at === 'witnessed' ? { lowest, highest } : { lowest: later(lowest, now), highest: later(highest, now) };
}

/** One width, so text order is time order. */
function later(left: string, right: string): string {
  return left > right ? left : right;
}
