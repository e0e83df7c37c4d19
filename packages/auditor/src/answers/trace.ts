/** The path of one release: how it was built, tested and on what, who approved, what each stage decided, where it ran. */
import {
  AuditorError,
  type Digest,
  hardwareClass,
  hardwareFacts,
  type HardwareFacts,
  type JsonObject,
  type JsonValue,
  LIMITS,
  parseDigest,
  parseStrictJson,
  partName,
  PREDICATE,
  sha256,
} from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { type Policy, readApproval, readDecision, readReceipt, readRelease, type ReleaseComponent } from '@sealane/trust';
import {
  type Answer,
  type AuditContext,
  cite,
  closeAnswer,
  doubt,
  type Doubt,
  type Evidence,
  personOf,
  startEvidence,
  statementOf,
} from './context.js';
import { type Elsewhere, elsewhereOf } from './elsewhere.js';
import { lastPolicy } from './facts.js';
import { listAt, textAt, valueAt } from './json-at.js';

/** Hardware that a release was tested on: the class, and a line for people. `hbom` is the digest of the inventory itself. */
export interface TestedHardware {
  readonly class: Digest;
  readonly label: string;
  readonly facts: HardwareFacts;
  readonly hbom: Digest;
  readonly statement: Digest;
}

export interface Trace {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
  readonly components: readonly ReleaseComponent[];
  readonly provenance: readonly { readonly builder: string; readonly commits: readonly string[]; readonly statement: Digest }[];
  readonly tests: readonly {
    readonly suite: string;
    readonly result: string;
    readonly passed: JsonValue;
    readonly total: JsonValue;
    readonly statement: Digest;
  }[];
  readonly testedOn: readonly TestedHardware[];
  readonly approvals: readonly {
    readonly person: string;
    readonly stage: string;
    readonly verdict: string;
    readonly issuedAt: string;
    readonly statement: Digest;
  }[];
  readonly decisions: readonly {
    readonly stage: string;
    readonly result: string;
    readonly counter: number | null;
    readonly at: string;
    readonly checks: readonly JsonObject[];
    readonly statement: Digest;
  }[];
  readonly sites: readonly {
    readonly site: string;
    readonly event: string;
    readonly at: string;
    readonly reason: string | null;
    readonly statement: Digest;
  }[];
  /** What logs of other lanes say of it, as they were anchored here. */
  readonly elsewhere: readonly Elsewhere[];
}

/**
 * Answers "what is known of this release?".
 *
 * @throws AuditorError `RELEASE_UNKNOWN`; `LOG_NOT_INCLUDED`, `LOG_WITNESS` when what is cited cannot be proved
 */
export async function traceRelease(context: AuditContext, release: Digest): Promise<Answer<Trace & { readonly doubts: readonly Doubt[] }>> {
  const described = (await context.ledger.releases()).find((row) => row.release === release);
  if (described === undefined)
    throw new AuditorError('RELEASE_UNKNOWN', `trace ${release}: there is no such release in the ledger`, { release });
  const about = { context, evidence: startEvidence(), entries: await context.ledger.statementsAbout(release) };
  const { name, version } = described;
  return await closeAnswer(context, about.evidence, `trace ${release}`, {
    release,
    name,
    version,
    components: await componentsOf(about),
    provenance: await provenanceOf(about),
    ...(await testsOf(about)),
    approvals: await approvalsOf(about),
    decisions: await decisionsOf(about),
    sites: await sitesOf(about),
    elsewhere: await elsewhereOf(context, about.evidence, about.entries),
  });
}

/** The statements about a release, and where citations are collected. */
interface About {
  readonly context: AuditContext;
  readonly evidence: Evidence;
  readonly entries: readonly LedgerEntry[];
}

/** A statement with the entry that it came in. */
interface Cited {
  readonly entry: LedgerEntry;
  readonly predicate: JsonObject;
}

function ofType({ entries }: About, predicateType: string): readonly LedgerEntry[] {
  return entries.filter((entry) => statementOf(entry).predicateType === predicateType);
}

/** Verified evidence of one type, signed by keys that the last policy names for it. */
async function evidenceOf(about: About, predicateType: string, signers: keyof Policy['signers']): Promise<readonly Cited[]> {
  const policy = lastPolicy(about.context);
  const cited: Cited[] = [];
  for (const entry of ofType(about, predicateType)) {
    const isGood = await cite(about.context, about.evidence, entry, policy, policy.signers[signers]);
    if (isGood) cited.push({ entry, predicate: statementOf(entry).predicate });
  }
  return cited;
}

async function componentsOf(about: About): Promise<Trace['components']> {
  const [first] = await evidenceOf(about, PREDICATE.release, 'release');
  return first === undefined ? [] : readRelease(statementOf(first.entry)).components;
}

async function provenanceOf(about: About): Promise<Trace['provenance']> {
  return (await evidenceOf(about, PREDICATE.provenance, 'provenance')).map(({ predicate, entry }) => ({
    builder: textAt(predicate, 'runDetails', 'builder', 'id'),
    commits: listAt(predicate, 'buildDefinition', 'resolvedDependencies').map((dependency) => textAt(dependency, 'digest', 'gitCommit')),
    statement: entry.statementDigest,
  }));
}

async function testsOf(about: About): Promise<Pick<Trace, 'tests' | 'testedOn'>> {
  const cited = await evidenceOf(about, PREDICATE.testResult, 'tests');
  const tests = cited.map(({ predicate, entry }) => {
    const suite = valueAt(predicate, 'configuration', 0);
    return {
      suite: textAt(suite, 'name'),
      result: textAt(predicate, 'result'),
      passed: valueAt(suite, 'annotations', 'passed') ?? null,
      total: valueAt(suite, 'annotations', 'total') ?? null,
      statement: entry.statementDigest,
    };
  });
  return { tests, testedOn: cited.map((item) => hardwareOf(about.context, item)).filter((item) => item !== undefined) };
}

function hardwareOf({ readBlob }: AuditContext, { entry, predicate }: Cited): TestedHardware | undefined {
  const descriptor = listAt(predicate, 'configuration').find((item) => textAt(item, 'name') === 'hardware');
  const bytes = descriptor === undefined ? undefined : readBlob(parseDigest(`sha256:${textAt(descriptor, 'digest', 'sha256')}`));
  if (bytes === undefined) return undefined;
  const facts = hardwareFacts(asObject(parseStrictJson(bytes, { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth })));
  const label = [partName(facts), facts.cpu, facts.arch].filter((word) => word !== undefined && word !== '').join(', ');
  return { class: hardwareClass(facts), label, facts, hbom: sha256(bytes), statement: entry.statementDigest };
}

async function approvalsOf({ context, evidence, entries }: About): Promise<Trace['approvals']> {
  const approvals: Trace['approvals'][number][] = [];
  for (const entry of entries.filter((item) => statementOf(item).predicateType === PREDICATE.approval)) {
    const { stage, verdict, issuedAt } = readApproval(statementOf(entry));
    const policy = context.policies.find((item) => item.stage === stage);
    if (policy === undefined || !(await cite(context, evidence, entry, policy))) continue;
    approvals.push({
      person: personOf(context, entry.keyId) ?? `key ${entry.keyId}`,
      stage,
      verdict,
      issuedAt,
      statement: entry.statementDigest,
    });
  }
  return approvals;
}

async function decisionsOf({ context, evidence, entries }: About): Promise<Trace['decisions']> {
  const decisions: Trace['decisions'][number][] = [];
  for (const entry of entries.filter((item) => statementOf(item).predicateType === PREDICATE.decision)) {
    const { sealane_promotion: promotion, verificationResult: result, timeVerified } = readDecision(statementOf(entry));
    const policy = context.policies.find((item) => item.stage === promotion.to);
    const keys = policy?.chain.find(({ stage }) => stage === promotion.to)?.keys;
    if (policy === undefined) {
      doubt(evidence, entry, 'STAGE_UNKNOWN', `decision ${entry.index} is for the stage ${promotion.to}, which has no policy here`);
      continue;
    }
    if (!(await cite(context, evidence, entry, policy, keys))) continue;
    const checks = promotion.checks.map((check): JsonObject => ({ ...check }));
    decisions.push({ stage: promotion.to, result, counter: promotion.counter, at: timeVerified, checks, statement: entry.statementDigest });
  }
  return decisions;
}

/** Receipts speak for their site only: they are cited when they are by the key of that site's record. */
async function sitesOf(about: About): Promise<Trace['sites']> {
  const sites: Trace['sites'][number][] = [];
  for (const entry of ofType(about, PREDICATE.receipt)) {
    if (!(await isOwnReceipt(about.context, entry))) {
      doubt(about.evidence, entry, 'SITE_MISMATCH', `receipt ${entry.index} is not signed by the key of any record of its site`);
      continue;
    }
    about.evidence.citations.push({ digest: entry.statementDigest, logIndex: entry.index });
    const { site, event, at: time, reason } = readReceipt(statementOf(entry));
    sites.push({ site, event, at: time, reason, statement: entry.statementDigest });
  }
  return sites;
}

/** Whether a receipt is signed by the key that a logged site record gives to its site. */
async function isOwnReceipt({ ledger }: AuditContext, entry: LedgerEntry): Promise<boolean> {
  const { site } = readReceipt(statementOf(entry));
  return (await ledger.sites(site)).some(({ siteKeyId }) => siteKeyId === entry.keyId);
}

function asObject(value: JsonValue): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AuditorError('JSON_MALFORMED', 'read a hardware inventory: expected an object');
  return value as JsonObject;
}
