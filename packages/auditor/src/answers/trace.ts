/** The path of one release: how it was built, tested and on what, who approved, what each stage decided, where it ran. */
import { AuditorError, type Digest, type HardwareFacts, type JsonObject, partName } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import type { ReleaseComponent, TestResult } from '@sealane/trust';
import { readDocument } from './about-release.js';
import { type AuditContext, personOf } from './context.js';
import { type Elsewhere, elsewhereOf } from './elsewhere.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn } from './facts.js';
import { type Answered, type Asked, inquire, type Inquiry } from './inquiry.js';
import { listAt, textAt } from './json-at.js';
import { classOf, factsRead } from './known-hardware.js';
import { receiptsIn } from './receipts.js';
import { releaseNames } from './release-names.js';

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
    readonly passed: number;
    readonly total: number;
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
    /** The groups of sites that it is for. */
    readonly rollout: readonly string[];
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
export async function traceRelease(context: AuditContext, release: Digest, asked: Asked = {}): Promise<Answered<Trace>> {
  return await inquire(context, `trace ${release}`, asked, async (inquiry) => {
    const { ledger } = inquiry.context;
    const [described] = await ledger.releases(release);
    if (described === undefined)
      throw new AuditorError('RELEASE_UNKNOWN', `trace ${release}: there is no such release in the ledger`, { release });
    const about = { inquiry, entries: await ledger.statementsAbout(release) };
    const { name, version } = (await releaseNames(inquiry, [release]))(release);
    return {
      release,
      name: name ?? '',
      version: version ?? '',
      components: await componentsOf(about),
      provenance: await provenanceOf(about),
      ...(await testsOf(about)),
      approvals: await approvalsOf(about),
      decisions: await decisionsOf(about),
      sites: await sitesOf(about),
      elsewhere: await elsewhereOf(inquiry.context, inquiry.evidence, release, about.entries),
    };
  });
}

/** The question, and the statements about the release. */
interface About {
  readonly inquiry: Inquiry;
  readonly entries: readonly LedgerEntry[];
}

async function componentsOf({ inquiry, entries }: About): Promise<Trace['components']> {
  const [first] = await factsIn(inquiry, FACT.release, entries);
  return first?.said.components ?? [];
}

async function provenanceOf({ inquiry, entries }: About): Promise<Trace['provenance']> {
  return (await factsIn(inquiry, FACT.provenance, entries)).map(({ said, entry }) => ({
    builder: textAt(said, 'runDetails', 'builder', 'id'),
    commits: listAt(said, 'buildDefinition', 'resolvedDependencies').map((dependency) => textAt(dependency, 'digest', 'gitCommit')),
    statement: entry.statementDigest,
  }));
}

async function testsOf({ inquiry, entries }: About): Promise<Pick<Trace, 'tests' | 'testedOn'>> {
  const facts = await factsIn(inquiry, FACT.test, entries);
  const tests = facts.map(({ said: { suite, result, counts }, entry }) => {
    return { suite, result, passed: counts.passed, total: counts.total, statement: entry.statementDigest };
  });
  return { tests, testedOn: facts.map((fact) => hardwareOf(inquiry, fact)).filter((item) => item !== undefined) };
}

function hardwareOf(inquiry: Inquiry, fact: Fact<TestResult>): TestedHardware | undefined {
  const { hardware: hbom } = fact.said;
  const named = { digest: hbom, what: 'hardware inventory' };
  const facts = readDocument(inquiry, fact, named, factsRead);
  if (facts === undefined || hbom === undefined) return undefined;
  const label = [partName(facts), facts.cpu, facts.arch].filter((word) => word !== undefined && word !== '').join(', ');
  return { class: classOf(facts), label, facts, hbom, statement: fact.entry.statementDigest };
}

async function approvalsOf({ inquiry, entries }: About): Promise<Trace['approvals']> {
  return (await factsIn(inquiry, FACT.approval, entries)).map(({ said: { stage, verdict, issuedAt }, entry }) => {
    const person = personOf(inquiry.context, entry.keyId) ?? `key ${entry.keyId}`;
    return { person, stage, verdict, issuedAt, statement: entry.statementDigest };
  });
}

async function decisionsOf({ inquiry, entries }: About): Promise<Trace['decisions']> {
  return (await factsIn(inquiry, FACT.decision, entries)).map(({ said, at, entry }) => {
    const { to: stage, counter, rollout, checks } = said.sealane_promotion;
    const listed = checks.map((check): JsonObject => ({ ...check }));
    return { stage, result: said.verificationResult, counter, rollout, at, checks: listed, statement: entry.statementDigest };
  });
}

/** Receipts speak for their site only. */
async function sitesOf({ inquiry, entries }: About): Promise<Trace['sites']> {
  const told = await receiptsIn(inquiry, entries);
  return told.map(({ site, event, at, reason, statementDigest: statement }) => ({ site, event, at, reason, statement }));
}
