/** Everything that was tested on one unit or one class of device: what to look at again when a rig turns out faulty. */
import { AuditorError, type Digest, SealaneError } from '@sealane/core';
import { subjectDigests, type TestResult } from '@sealane/trust';
import { devicesOf } from './about-release.js';
import type { AuditContext } from './context.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn, factsOf } from './facts.js';
import { hardwareRuns, historiesNaming } from './hardware-runs.js';
import { type Answered, type Asked, inquire, type Inquiry } from './inquiry.js';
import { devicesRead, wordsOf } from './known-hardware.js';
import { releaseNames } from './release-names.js';

export interface Unit {
  readonly unit: string;
  readonly runs: readonly {
    readonly release: Digest;
    readonly suite: string;
    readonly result: string;
    readonly at: string;
    readonly keyId: string;
    readonly statement: Digest;
    readonly logIndex: number;
  }[];
  readonly releases: readonly { readonly release: Digest; readonly name: string | null; readonly version: string | null }[];
  readonly recalls: readonly { readonly reason: string; readonly untilIndex: number; readonly statement: Digest }[];
  /** Sites that have, or had, such a unit. */
  readonly sites: readonly { readonly site: string; readonly since: string; readonly until: string | null }[];
}

/** The inventories of runs that name the unit, and those that cannot be read: they are doubts of the runs that name them. */
async function inventoriesNaming({ context }: Inquiry, wanted: string): Promise<readonly Digest[]> {
  return (await context.ledger.testedHardware()).filter((digest) => {
    const bytes = context.readBlob(digest);
    if (bytes === undefined) return true;
    try {
      const devices = devicesRead(bytes);
      return devices.length === 0 || devices.some((one) => wordsOf(one).has(wanted));
    } catch (error) {
      if (error instanceof SealaneError) return true;
      throw error;
    }
  });
}

/** Whether the inventory of a run names the unit. Many runs are on one machine: its inventory is read once. */
function namedBy(inquiry: Inquiry, wanted: string): (fact: Fact<TestResult>) => boolean {
  const known = new Map<Digest, boolean>();
  return (fact) => {
    const { hardware } = fact.said;
    const before = hardware === undefined ? false : known.get(hardware);
    if (hardware === undefined || before !== undefined) return before === true;
    const devices = devicesOf(inquiry, fact);
    const isNamed = devices.some((one) => wordsOf(one).has(wanted));
    // what cannot be read is a doubt of each run that names it
    if (devices.length > 0) known.set(hardware, isNamed);
    return isNamed;
  };
}

/** Answers "what was tested on this unit?"; `unit` is a serial, a class, a model or a firmware. @throws AuditorError `USAGE` none given */
export async function unit(context: AuditContext, wanted: string, asked: Asked = {}): Promise<Answered<Unit>> {
  if (wanted === '') throw new AuditorError('USAGE', 'ask for a unit: expected a serial, a class, a model or a firmware');
  return await inquire(context, `unit ${wanted}`, asked, (inquiry) => unitIn(inquiry, wanted));
}

/** As `unit`, as a part of another answer. */
export async function unitIn(inquiry: Inquiry, wanted: string): Promise<Unit> {
  const tests = await factsIn(inquiry, FACT.test, await inquiry.context.ledger.testsOn(await inventoriesNaming(inquiry, wanted)));
  const there = tests.filter(namedBy(inquiry, wanted));
  const runs = there.map((fact) => ({
    release: subjectDigests(fact.entry.statement)[0] ?? fact.said.report,
    suite: fact.said.suite,
    result: fact.said.result,
    at: fact.at,
    keyId: fact.entry.keyId,
    statement: fact.entry.statementDigest,
    logIndex: fact.entry.index,
  }));
  const releases = [...new Set(runs.map(({ release }) => release))];
  const nameOf = await releaseNames(inquiry, releases);
  const recalls = (await factsOf(inquiry, FACT.recall)).filter(({ said: { recalled } }) => Object.values(recalled).includes(wanted));
  const sites = hardwareRuns(await historiesNaming(inquiry, wanted), wanted);
  return {
    unit: wanted,
    runs,
    releases: releases.map((release) => ({ release, ...nameOf(release) })),
    recalls: recalls.map(({ said: { reason, untilIndex }, entry }) => ({ reason, untilIndex, statement: entry.statementDigest })),
    sites: sites.map(({ site, since, until }) => ({ site, since, until })),
  };
}
