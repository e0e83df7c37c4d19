/** On which devices a release was tested: every device of every run, with model, serial, revision and all firmware. */
import { type Digest, type HardwareFacts, hardwareClass } from '@sealane/core';
import { aboutRelease, devicesOf, nameOf, type NamedRelease } from './about-release.js';
import type { AuditContext } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsIn } from './facts.js';
import { type Answered, type Asked, inquire } from './inquiry.js';

/** A run names no devices when its result names no inventory. */
export interface Devices extends NamedRelease {
  readonly runs: readonly {
    readonly suite: string;
    readonly result: string;
    readonly at: string;
    readonly keyId: string;
    readonly statement: Digest;
    readonly devices: readonly {
      readonly role: string;
      readonly serial: string | null;
      readonly class: Digest;
      readonly facts: HardwareFacts;
    }[];
  }[];
}

/** Answers "on which devices was it tested?". @throws AuditorError `RELEASE_UNKNOWN` */
export async function devices(context: AuditContext, named: string, asked: Asked = {}): Promise<Answered<Devices>> {
  return await inquire(context, `devices ${named}`, asked, async (inquiry) => {
    const about = await aboutRelease(inquiry, named);
    const tests = await factsIn(inquiry, FACT.test, about.entries);
    const runs = tests.map((fact) => ({
      suite: fact.said.suite,
      result: fact.said.result,
      at: fact.at,
      keyId: fact.entry.keyId,
      statement: fact.entry.statementDigest,
      devices: devicesOf(inquiry, fact).map(({ role, facts, serial = null }) => ({ role, serial, class: hardwareClass(facts), facts })),
    }));
    return { ...nameOf(about), runs };
  });
}
