/** On which devices a release was tested: every device of every run, with model, serial, revision and all firmware, and what sits in which slot. */
import type { Digest, FittedPart, HardwareDevice, HardwareFacts, HardwarePart } from '@sealane/core';
import type { TestResult } from '@sealane/trust';
import { aboutRelease, nameOf, type NamedRelease, readDocument } from './about-release.js';
import type { AuditContext } from './context.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn } from './facts.js';
import { type Answered, type Asked, inquire, type Inquiry } from './inquiry.js';
import { classOf, fittedRead } from './known-hardware.js';

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
      /** Its parts one by one, as the inventory lists them; null: it does not say where the part sits, or which one it is. */
      readonly parts: readonly { readonly slot: string | null; readonly serial: string | null; readonly part: HardwarePart }[];
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
      devices: fittedDevices(inquiry, fact).map(({ device: { role, facts, serial = null }, parts }) => ({
        role,
        serial,
        class: classOf(facts),
        facts,
        parts: parts.map(({ part, slot = null, serial: of = null }) => ({ slot, serial: of, part })),
      })),
    }));
    return { ...nameOf(about), runs };
  });
}

/** The devices of a run, each with its parts; none when it names no inventory, or one that cannot be read. */
function fittedDevices(
  inquiry: Inquiry,
  fact: Fact<TestResult>,
): readonly { readonly device: HardwareDevice; readonly parts: readonly FittedPart[] }[] {
  const found = { digest: fact.said.hardware, what: 'hardware inventory' };
  return readDocument(inquiry, fact, found, fittedRead) ?? [];
}
