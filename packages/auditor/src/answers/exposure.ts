/** Which sites run or ran something: a component, a package of an SBOM, a revoked release, what a key signed, a piece of hardware; and since when. */
import { AuditorError, type Digest, isDigest, PREDICATE } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { subjectDigests } from '@sealane/trust';
import type { AuditContext } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsIn, factsOf, releaseOf } from './facts.js';
import { hardwareRuns, historiesNaming } from './hardware-runs.js';
import { type Answered, type Asked, inquire, type Inquiry, releaseNamed } from './inquiry.js';
import { wantedPackage } from './package-lists.js';
import type { ReceiptHead } from './receipt-heads.js';
import { releaseNames } from './release-names.js';
import { entriesBy } from './signed-by.js';
import { historiesAbout, type SiteHistory } from './site-history.js';

/** What sites may be exposed to: one of these; none of them: every release that was revoked. */
export interface ExposedTo {
  readonly release?: string | undefined;
  readonly component?: string | undefined;
  readonly package?: string | undefined;
  readonly key?: string | undefined;
  readonly hardware?: string | undefined;
}

/** A release that is concerned, and why. */
interface Concerned {
  readonly release: Digest;
  readonly why: string;
}

export interface Exposure {
  readonly to: string;
  readonly releases: readonly (Concerned & { readonly name: string | null; readonly version: string | null })[];
  /** In the order of their beginning; `until` null: it is so still. */
  readonly sites: readonly {
    readonly site: string;
    readonly stage: string;
    readonly release: Digest | null;
    readonly since: string;
    readonly until: string | null;
    readonly statement: Digest;
    readonly logIndex: number;
  }[];
  readonly exposedNow: readonly string[];
  /** Sites with receipts that nobody brought: what they ran meanwhile is not known. */
  readonly unseen: readonly { readonly site: string; readonly missing: readonly number[] }[];
}

/**
 * Answers "who is exposed to this, and since when?".
 *
 * @throws AuditorError `USAGE` more than one thing, or a malformed one; `RELEASE_UNKNOWN`
 */
export async function exposure(context: AuditContext, thing: ExposedTo, asked: Asked = {}): Promise<Answered<Exposure>> {
  const [[kind, value] = ['revoked', ''], ...more] = Object.entries(thing).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  if (more.length > 0) throw new AuditorError('USAGE', 'ask for exposure: expected one thing that sites may be exposed to, got several');
  const to = kind === 'revoked' ? 'revoked releases' : `${kind} ${value}`;
  return await inquire(context, `exposure to ${to}`, asked, async (inquiry) => {
    const concerned = kind === 'hardware' ? [] : await concernedBy(inquiry, kind, value);
    const { histories, sites } = kind === 'hardware' ? await withHardware(inquiry, value) : await withReleases(inquiry, concerned);
    const sorted = [...sites].sort((a, b) => compare(a.since, b.since) || compare(a.site, b.site));
    return {
      to,
      releases: await named(inquiry, concerned),
      sites: sorted,
      exposedNow: [...new Set(sorted.filter(({ until }) => until === null).map(({ site }) => site))].sort(),
      unseen: histories.filter(({ missing }) => missing.length > 0).map(({ site, missing }) => ({ site, missing })),
    };
  });
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** What sites told that are concerned, and when they were. */
interface ConcernedSites {
  readonly histories: readonly SiteHistory<ReceiptHead>[];
  readonly sites: Exposure['sites'];
}

async function withHardware(inquiry: Inquiry, value: string): Promise<ConcernedSites> {
  const histories = await historiesNaming(inquiry, value);
  return { histories, sites: hardwareRuns(histories, value) };
}

async function withReleases(inquiry: Inquiry, concerned: readonly Concerned[]): Promise<ConcernedSites> {
  const histories = await historiesAbout(inquiry, releasesOf(concerned));
  return { histories, sites: runsOfReleases(histories, concerned) };
}

function releasesOf(concerned: readonly Concerned[]): readonly Digest[] {
  return [...new Set(concerned.map(({ release }) => release))];
}

function runsOfReleases(histories: readonly SiteHistory<ReceiptHead>[], concerned: readonly Concerned[]): Exposure['sites'] {
  const meant = new Set<Digest | null>(concerned.map(({ release }) => release));
  return histories.flatMap(({ site, record, runs }) =>
    runs.filter(({ release }) => meant.has(release)).map((one) => ({ site, stage: record.said.stage, ...one })),
  );
}

async function concernedBy(inquiry: Inquiry, kind: string, value: string): Promise<readonly Concerned[]> {
  switch (kind) {
    case 'release':
      return [{ release: await releaseNamed(inquiry.context, value), why: 'asked for' }];
    case 'component':
      return await withComponent(inquiry, value);
    case 'package':
      return await withPackage(inquiry, value);
    case 'key':
      return await signedBy(inquiry, value);
    default:
      return (await factsOf(inquiry, FACT.revocation)).map(({ said: { release, reason } }) => ({ release, why: `revoked: ${reason}` }));
  }
}

async function withComponent(inquiry: Inquiry, digest: string): Promise<readonly Concerned[]> {
  if (!isDigest(digest)) throw new AuditorError('USAGE', `read --component: expected sha256:…, got ${digest.slice(0, 80)}`);
  const listing = await inquiry.context.ledger.releasesWith(digest);
  return (await factsIn(inquiry, FACT.release, listing)).flatMap((fact) => {
    const part = fact.said.components.find((component) => component.digest === digest);
    return part === undefined ? [] : [{ release: releaseOf(fact), why: `its part ${part.name}` }];
  });
}

/** SBOMs are about a release or about a part of it. */
async function withPackage(inquiry: Inquiry, wanted: string): Promise<readonly Concerned[]> {
  const { ledger } = inquiry.context;
  const about = await listingPackage(inquiry, wanted);
  const naming = new Map<number, LedgerEntry>();
  for (const digest of about.keys()) {
    const found = [...(await ledger.releasesWith(digest)), ...(await ledger.statementsAbout(digest, PREDICATE.release))];
    for (const entry of found) naming.set(entry.index, entry);
  }
  const releases = [...naming.values()].sort((left, right) => left.index - right.index);
  return (await factsIn(inquiry, FACT.release, releases)).flatMap((fact) => {
    const release = releaseOf(fact);
    const listed = [release, ...fact.said.components.map(({ digest }) => digest)].map((digest) => about.get(digest));
    const sbom = listed.find((digest) => digest !== undefined);
    return sbom === undefined ? [] : [{ release, why: `listed in ${sbom}` }];
  });
}

/** SBOMs that are in memory at a time: one may have tens of megabytes. */
const SBOMS_AT_A_TIME = 16;

/** What SBOMs that list a package are about, each with the last of them. Those that may list it are read; those that do are verified. */
async function listingPackage(inquiry: Inquiry, wanted: string): Promise<ReadonlyMap<Digest, Digest>> {
  const { ledger } = inquiry.context;
  const { isListed, word } = wantedPackage(wanted);
  const places = await ledger.statementsNaming({ types: [FACT.cyclonedx.type, FACT.spdx.type], word });
  const about = new Map<Digest, Digest>();
  for (let at = 0; at < places.length; at += SBOMS_AT_A_TIME) {
    const entries = await ledger.entriesAt(places.slice(at, at + SBOMS_AT_A_TIME));
    const listing = entries.filter(({ statement }) => isListed(statement.predicate));
    const boms = [...(await factsIn(inquiry, FACT.cyclonedx, listing)), ...(await factsIn(inquiry, FACT.spdx, listing))];
    for (const { entry } of boms) for (const digest of subjectDigests(entry.statement)) about.set(digest, entry.statementDigest);
  }
  return about;
}

/** What of a release a key may have vouched for. */
const VOUCHES: readonly string[] = [PREDICATE.release, PREDICATE.provenance, PREDICATE.testResult, PREDICATE.approval, PREDICATE.decision];

/** Whether or not the key counts any more: what a stolen key signed is what is asked for. */
async function signedBy(inquiry: Inquiry, keyId: string): Promise<readonly Concerned[]> {
  if (!/^[0-9a-f]{64}$/.test(keyId))
    throw new AuditorError('USAGE', `read --key: expected the 64 hex digits of a key’s id, got ${keyId.slice(0, 80)}`);
  const signed = await entriesBy(inquiry, keyId, ({ statement }) => VOUCHES.includes(statement.predicateType));
  const concerned = signed.map((entry) => ({ release: releaseOf({ entry }), why: `${entry.statement.predicateType} at ${entry.index}` }));
  return [...new Map(concerned.map((one) => [one.release, one])).values()];
}

async function named(inquiry: Inquiry, concerned: readonly Concerned[]): Promise<Exposure['releases']> {
  const nameOf = await releaseNames(
    inquiry,
    concerned.map(({ release }) => release),
  );
  return concerned.map((one) => ({ ...one, ...nameOf(one.release) }));
}
