/** How a site differs from the rigs that tested what it runs: hardware, topology, variables, link; and the conditions and fidelity that it was tested under. */
import { AuditorError, compareHardware, type Digest, type HardwareDifference } from '@sealane/core';
import {
  compareTopologies,
  type Conditions,
  conditionsShape,
  type Fidelity,
  fidelityShape,
  parseTopology,
  type TestResult,
  type Topology,
  type TopologyDifference,
} from '@sealane/trust';
import { aboutRelease, nameOf, type NamedRelease, readDocument } from './about-release.js';
import { type AuditContext, policyOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn } from './facts.js';
import { devicesIn } from './hardware-runs.js';
import { type Answered, type Asked, inquire, type Inquiry } from './inquiry.js';
import { readObject } from './json-object.js';
import { devicesRead } from './known-hardware.js';
import { type LinkParity, linkOf } from './link-parity.js';
import type { ReceiptTold } from './receipts.js';
import { runningNow, siteHistory, type SiteHistory } from './site-history.js';

export interface Parity extends NamedRelease {
  readonly site: string;
  /** The nearest passing run of each kind; null: none says anything of it, or the site does not. */
  readonly hardware: {
    readonly run: Digest;
    readonly differences: readonly HardwareDifference[];
    readonly unknown: readonly string[];
  } | null;
  readonly topology: { readonly run: Digest; readonly differences: readonly TopologyDifference[] } | null;
  /** What the release declares beside what the site sets. */
  readonly variables: readonly { readonly name: string; readonly usual: string | null; readonly site: string | null }[];
  /** As the fetch process of the site measured; null: no receipt of it says anything. */
  readonly link: LinkParity | null;
  readonly conditions: readonly DocumentOfRun<Conditions>[];
  readonly fidelity: readonly DocumentOfRun<Fidelity>[];
  readonly notSeen: readonly string[];
}

interface DocumentOfRun<T> {
  readonly run: Digest;
  readonly document: T;
}

const NO_LINK = ['the link of the site: no receipt of it measured any, so the conditions of the runs stand alone'];

/**
 * Answers "how does this site differ from where its release was tested?".
 *
 * @throws AuditorError `SITE_UNKNOWN`; `USAGE` nothing runs there and no release is named; `RELEASE_UNKNOWN`
 */
export async function parity(context: AuditContext, site: string, named: string | undefined, asked: Asked = {}): Promise<Answered<Parity>> {
  return await inquire(context, `parity ${site}${named === undefined ? '' : ` with ${named}`}`, asked, async (inquiry) => {
    const history = await siteHistory(inquiry, site);
    if (history === undefined) throw new AuditorError('SITE_UNKNOWN', `compare ${site}: there is no such site in the ledger`, { site });
    const running = named ?? runningNow(history)?.release;
    if (running == null)
      throw new AuditorError('USAGE', `compare ${site}: expected a release that runs there or --release, got none`, { site });
    const about = await aboutRelease(inquiry, running);
    const passed = (await factsIn(inquiry, FACT.test, about.entries)).filter(({ said }) => said.result === 'PASSED');
    const last = history.receipts.at(-1);
    const conditions = documentsOf(inquiry, passed, 'conditions', (value) => conditionsShape.safeParse(value).data);
    const link = linkOf(history.receipts, about.release, conditions);
    return {
      ...nameOf(about),
      site,
      hardware: last === undefined ? null : nearestHardware(inquiry, passed, history, last),
      topology: nearestTopology(inquiry, passed, history.record.said.topology),
      variables: (about.author?.said.declares?.variables ?? []).map(({ name, default: usual }) => {
        const set = last?.variables?.[name];
        return { name, usual: usual === undefined ? null : String(usual), site: set === undefined ? null : String(set) };
      }),
      link,
      conditions,
      fidelity: documentsOf(inquiry, passed, 'fidelity', (value) => fidelityShape.safeParse(value).data),
      notSeen: link === null ? NO_LINK : [],
    };
  });
}

/** The machine itself; devices that are attached are what `coverage` answers for. */
function nearestHardware(
  inquiry: Inquiry,
  passed: readonly Fact<TestResult>[],
  history: SiteHistory,
  last: ReceiptTold,
): Parity['hardware'] {
  const { require } = policyOf(inquiry.context, history.record.said.stage).hardware;
  const [here] = devicesIn(last.hardware);
  if (here === undefined) return null;
  const compared = passed.flatMap((fact) => {
    const found = { digest: fact.said.hardware, what: 'hardware inventory' };
    const [tested] = readDocument(inquiry, fact, found, devicesRead) ?? [];
    if (tested === undefined) return [];
    const { differences, unknown } = compareHardware({ tested: tested.facts, site: here.facts, require });
    return [{ run: fact.entry.statementDigest, differences, unknown }];
  });
  return nearest(compared, ({ differences, unknown }) => differences.length + unknown.length);
}

function nearestTopology(inquiry: Inquiry, passed: readonly Fact<TestResult>[], here: Topology | undefined): Parity['topology'] {
  if (here === undefined) return null;
  const compared = passed.flatMap((fact) => {
    const tested = readDocument(inquiry, fact, { digest: fact.said.topology, what: 'topology' }, parseTopology);
    return tested === undefined ? [] : [{ run: fact.entry.statementDigest, differences: compareTopologies(tested, here) }];
  });
  return nearest(compared, ({ differences }) => differences.length);
}

function nearest<T>(all: readonly T[], weight: (one: T) => number): T | null {
  return [...all].sort((left, right) => weight(left) - weight(right))[0] ?? null;
}

function documentsOf<T>(
  inquiry: Inquiry,
  passed: readonly Fact<TestResult>[],
  what: 'conditions' | 'fidelity',
  parse: (value: object) => T | undefined,
): readonly DocumentOfRun<T>[] {
  return passed.flatMap((fact) => {
    const document = readDocument(inquiry, fact, { digest: fact.said[what], what }, (bytes) => parse(readObject(bytes)));
    return document === undefined ? [] : [{ run: fact.entry.statementDigest, document }];
  });
}
