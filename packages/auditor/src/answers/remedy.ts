/** How long each site ran what a vulnerability was found in, from the first scan that found it. */
import { AuditorError, type Digest } from '@sealane/core';
import { timeToSeconds } from '@sealane/trust';
import type { AuditContext } from './context.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsOf, releaseOf } from './facts.js';
import { groupBy } from './group-by.js';
import { type Answered, type Asked, inquire, type Inquiry, timeOf } from './inquiry.js';
import { listAt, textAt } from './json-at.js';
import type { ReceiptHead } from './receipt-heads.js';
import { historiesAbout, type SiteHistory } from './site-history.js';

export interface Remedy {
  readonly vulnerability: string;
  /** When witnesses saw the first scan that found it; null: none did. */
  readonly knownAt: string | null;
  readonly affected: readonly { readonly release: Digest; readonly scans: readonly Digest[] }[];
  readonly sites: readonly {
    readonly site: string;
    readonly stage: string;
    readonly release: Digest;
    /** From when it was both known and running. */
    readonly from: string;
    readonly until: string | null;
    readonly seconds: number;
    /** What ran after it: whether it was scanned after the vulnerability was found somewhere, and that not found. */
    readonly fixedBy: { readonly release: Digest | null; readonly scannedClean: boolean } | null;
  }[];
  readonly open: readonly string[];
}

/** Answers "how long from the finding to the fix, at each site?". @throws AuditorError `USAGE` no name; `LOG_WITNESS` */
export async function remedy(context: AuditContext, vulnerability: string, asked: Asked = {}): Promise<Answered<Remedy>> {
  if (vulnerability === '')
    throw new AuditorError('USAGE', 'ask for a remedy: expected the name of a vulnerability, such as CVE-2026-1234');
  return await inquire(context, `remedy ${vulnerability}`, asked, async (inquiry) => {
    const scans = await scansByRelease(inquiry);
    const finds = (scan: Fact<Scan>): boolean => listAt(scan.said, 'scanner', 'result').some((one) => textAt(one, 'id') === vulnerability);
    const affected = [...scans].filter(([, some]) => some.some(finds)).map(([release, some]) => ({ release, scans: some.filter(finds) }));
    const first = Math.min(...affected.flatMap((one) => one.scans.map(({ entry }) => entry.index)));
    // a scanner of before may not have known it
    const isSince = ({ entry }: Fact<Scan>): boolean => entry.index > first;
    const clean = new Set([...scans].filter(([, some]) => some.some(isSince) && !some.some(finds)).map(([release]) => release));
    const found = affected.flatMap((one) => one.scans.map(({ at }) => at)).sort();
    const [knownAt = null] = found;
    const now = await timeOf(inquiry);
    const releases = affected.map(({ release }) => release);
    const sites =
      knownAt === null
        ? []
        : (await historiesAbout(inquiry, releases)).flatMap((history) => exposed(history, { affected, clean, knownAt, now }));
    return {
      vulnerability,
      knownAt,
      affected: affected.map(({ release, scans: some }) => ({ release, scans: some.map(({ entry }) => entry.statementDigest) })),
      sites,
      open: [...new Set(sites.filter(({ until }) => until === null).map(({ site }) => site))],
    };
  });
}

type Scan = ReturnType<typeof FACT.scan.read>;

/** The scans of each release: of itself, or of a part. */
async function scansByRelease(inquiry: Inquiry): Promise<ReadonlyMap<Digest, readonly Fact<Scan>[]>> {
  const scans = await factsOf(inquiry, FACT.scan);
  const about = groupBy(
    scans.flatMap((scan) => scan.entry.statement.subject.map(({ digest }) => ({ digest: `sha256:${digest.sha256}`, scan }))),
    ({ digest }) => digest,
  );
  const releases = await factsOf({ ...inquiry, asOf: undefined }, FACT.release);
  return new Map(
    releases.map((fact) => {
      const things: readonly string[] = [releaseOf(fact), ...fact.said.components.map(({ digest }) => digest)];
      return [releaseOf(fact), [...new Set(things.flatMap((thing) => (about.get(thing) ?? []).map(({ scan }) => scan)))]];
    }),
  );
}

interface Found {
  readonly affected: readonly { readonly release: Digest }[];
  readonly clean: ReadonlySet<Digest>;
  readonly knownAt: string;
  readonly now: string;
}

function exposed({ site, record, runs }: SiteHistory<ReceiptHead>, { affected, clean, knownAt, now }: Found): Remedy['sites'] {
  return runs.flatMap(({ release, since, until }, at) => {
    if (release === null || !affected.some((one) => one.release === release) || (until !== null && until <= knownAt)) return [];
    const from = since > knownAt ? since : knownAt;
    const next = runs[at + 1];
    const fixedBy = next === undefined ? null : { release: next.release, scannedClean: next.release !== null && clean.has(next.release) };
    const end = until ?? now;
    return [
      { site, stage: record.said.stage, release, from, until, seconds: Math.max(0, timeToSeconds(end) - timeToSeconds(from)), fixedBy },
    ];
  });
}
