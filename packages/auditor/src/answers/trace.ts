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
} from '@sealane/core';
import { type Entry, receipts, releases, statementsAbout } from '@sealane/ledger';
import { type Policy, readApproval, readDecision, readRelease, readReceipt, type ReleaseComponent } from '@sealane/trust';
import { type Answer, type AuditContext, Evidence, personOf, type StagePolicy } from './context.js';

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
  readonly tests: readonly { readonly suite: string; readonly result: string; readonly passed: JsonValue; readonly total: JsonValue; readonly statement: Digest }[];
  readonly testedOn: readonly TestedHardware[];
  readonly approvals: readonly { readonly person: string; readonly stage: string; readonly verdict: string; readonly issuedAt: string; readonly statement: Digest }[];
  readonly decisions: readonly {
    readonly stage: string;
    readonly result: string;
    readonly counter: number | null;
    readonly at: string;
    readonly checks: readonly JsonObject[];
    readonly statement: Digest;
  }[];
  readonly sites: readonly { readonly site: string; readonly event: string; readonly at: string; readonly reason: string | null; readonly statement: Digest }[];
}

/**
 * Answers "what is known of this release?".
 *
 * @throws AuditorError `RELEASE_UNKNOWN`; `LOG_NOT_INCLUDED`, `LOG_WITNESS` when what is cited cannot be proved
 */
export async function traceRelease(context: AuditContext, release: Digest): Promise<Answer<Trace & { readonly doubts: Evidence['doubts'] }>> {
  const evidence = new Evidence(context);
  const entries = statementsAbout(context.ledger, release);
  const described = releases(context.ledger).find(({ digest }) => digest === release);
  if (described === undefined) throw new AuditorError('RELEASE_UNKNOWN', `trace ${release}: there is no such release in the ledger`, { release });
  const tests = await testsOf(context, evidence, entries);
  const trace: Trace = {
    release,
    name: described.name,
    version: described.version,
    components: componentsOf(context, evidence, entries),
    provenance: provenanceOf(context, evidence, entries),
    ...tests,
    approvals: approvalsOf(context, evidence, entries),
    decisions: decisionsOf(context, evidence, entries),
    sites: sitesOf(context, evidence, release),
  };
  return evidence.close(`trace ${release}`, trace);
}

const ofType = (entries: readonly Entry[], predicateType: string): readonly Entry[] => entries.filter(({ statement }) => statement.predicateType === predicateType);

/** The policy of the last stage names everybody whose evidence counts there. */
function lastPolicy({ policies }: AuditContext): Policy {
  const last = [...policies].sort((a: StagePolicy, b: StagePolicy) => a.policy.chain.length - b.policy.chain.length).at(-1);
  if (last === undefined) throw new AuditorError('CONFIG_INVALID', 'read the policies of the lane: expected at least one stage, got none');
  return last.policy;
}

function componentsOf(context: AuditContext, evidence: Evidence, entries: readonly Entry[]): Trace['components'] {
  const policy = lastPolicy(context);
  return ofType(entries, PREDICATE.release)
    .filter((entry) => evidence.verify(entry, policy, policy.signers.release) !== undefined)
    .slice(0, 1)
    .flatMap(({ statement }) => readRelease(statement).components);
}

function provenanceOf(context: AuditContext, evidence: Evidence, entries: readonly Entry[]): Trace['provenance'] {
  const policy = lastPolicy(context);
  return ofType(entries, PREDICATE.provenance)
    .filter((entry) => evidence.verify(entry, policy, policy.signers.provenance) !== undefined)
    .map(({ statement: { predicate }, statementDigest }) => ({
      builder: textAt(predicate, 'runDetails', 'builder', 'id'),
      commits: listAt(predicate, 'buildDefinition', 'resolvedDependencies').map((dependency) => textAt(dependency, 'digest', 'gitCommit')),
      statement: statementDigest,
    }));
}

async function testsOf(context: AuditContext, evidence: Evidence, entries: readonly Entry[]): Promise<Pick<Trace, 'tests' | 'testedOn'>> {
  const policy = lastPolicy(context);
  const verified = ofType(entries, PREDICATE.testResult).filter((entry) => evidence.verify(entry, policy, policy.signers.tests) !== undefined);
  const tests = verified.map(({ statement: { predicate }, statementDigest }) => {
    const suite = at(predicate, 'configuration', 0);
    return {
      suite: textAt(suite, 'name'),
      result: textAt(predicate, 'result'),
      passed: at(suite, 'annotations', 'passed') ?? null,
      total: at(suite, 'annotations', 'total') ?? null,
      statement: statementDigest,
    };
  });
  const hardware = await Promise.all(verified.map((entry) => hardwareOf(context, entry)));
  return { tests, testedOn: hardware.filter((item) => item !== undefined) };
}

async function hardwareOf({ readBlob }: AuditContext, { statement, statementDigest }: Entry): Promise<TestedHardware | undefined> {
  const descriptor = listAt(statement.predicate, 'configuration').find((item) => textAt(item, 'name') === 'hardware');
  if (descriptor === undefined) return undefined;
  const hbom = parseDigest(`sha256:${textAt(descriptor, 'digest', 'sha256')}`);
  const bytes = await readBlob(hbom);
  if (bytes === undefined) return undefined;
  const parsed = parseStrictJson(bytes, { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth });
  const facts = hardwareFacts(asObject(parsed));
  const label = [partName(facts), facts.cpu, facts.arch].filter((word) => word !== undefined && word !== '').join(', ');
  return { class: hardwareClass(facts), label, facts, hbom, statement: statementDigest };
}

function approvalsOf(context: AuditContext, evidence: Evidence, entries: readonly Entry[]): Trace['approvals'] {
  return ofType(entries, PREDICATE.approval).flatMap((entry) => {
    const approval = readApproval(entry.statement);
    const policy = context.policies.find(({ policy: { stage } }) => stage === approval.stage)?.policy;
    if (policy === undefined || evidence.verify(entry, policy) === undefined) return [];
    const { stage, verdict, issuedAt } = approval;
    return [{ person: personOf(context, entry.keyId) ?? `key ${entry.keyId}`, stage, verdict, issuedAt, statement: entry.statementDigest }];
  });
}

function decisionsOf(context: AuditContext, evidence: Evidence, entries: readonly Entry[]): Trace['decisions'] {
  return ofType(entries, PREDICATE.decision).flatMap((entry) => {
    const decision = readDecision(entry.statement);
    const { to, counter, checks } = decision.sealane_promotion;
    const policy = context.policies.find(({ policy: { stage } }) => stage === to)?.policy;
    const keys = policy?.chain.find(({ stage }) => stage === to)?.keys;
    if (policy === undefined || evidence.verify(entry, policy, keys) === undefined) return [];
    const recorded = checks.map((check): JsonObject => ({ ...check }));
    return [{ stage: to, result: decision.verificationResult, counter, at: decision.timeVerified, checks: recorded, statement: entry.statementDigest }];
  });
}

/** Receipts speak for their site only: they are cited when they are by the key of that site's record. */
function sitesOf(context: AuditContext, evidence: Evidence, release: Digest): Trace['sites'] {
  return receipts(context.ledger, { release }).flatMap(({ index }) => {
    const entry = context.ledger.entry(index);
    if (!isOwnReceipt(context, entry)) return [];
    evidence.citations.push({ digest: entry.statementDigest, logIndex: index });
    const { site, event, at: time, reason } = readReceipt(entry.statement);
    return [{ site, event, at: time, reason, statement: entry.statementDigest }];
  });
}

/** Whether a receipt is signed by the key that a logged site record gives to its site. */
export function isOwnReceipt(context: AuditContext, entry: Entry): boolean {
  const { site } = readReceipt(entry.statement);
  return context.ledger.store
    .prepare<[string, string], { found: number }>('SELECT 1 AS found FROM site WHERE name = ? AND site_key = ?')
    .get(site, entry.keyId) !== undefined;
}

function at(value: JsonValue | undefined, ...path: readonly (string | number)[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string | number, JsonValue>)[key] : undefined), value);
}

function textAt(value: JsonValue | undefined, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

function listAt(value: JsonValue | undefined, ...path: readonly (string | number)[]): readonly JsonValue[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

function asObject(value: JsonValue): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new AuditorError('JSON_MALFORMED', 'read a hardware inventory: expected an object');
  return value as JsonObject;
}
