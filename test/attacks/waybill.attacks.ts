/** Attacks on waybills, decisions, approvals and evidence: every statement here is really signed, really logged, really cosigned. */
import { createHash } from 'node:crypto';
import type { Digest, JsonObject } from '@sealane/core';
import { type JsonValue, PREDICATE } from '@sealane/core';
import { testResultStatement } from '@sealane/trust';
import { beforeAll, describe, it } from 'vitest';
import { statementIn } from './log-holder.js';
import { approval, decision } from './statements.js';
import { expectInstalled, expectRefusal, type Scene, type World } from './world.js';

export function waybillAttacks(at: () => World): void {
  let world: World;
  let approvals: readonly number[];

  beforeAll(async () => {
    world = at();
    const payload = await approval(world, world.three);
    approvals = await world.log.log([payload, 'alice'], [await approval(world, world.three), 'bob']);
  });

  /** Logs a decision for 1.2.0 and offers a waybill of it with these entries. */
  async function offer(
    payload: Uint8Array,
    entries: readonly number[],
    options: {
      readonly signer?: string;
      readonly bend?: (bundles: JsonObject[]) => JsonObject[];
      readonly release?: Digest;
      readonly fields?: JsonObject;
    } = {},
  ): Promise<Scene> {
    const { signer = 'prod', release = world.three, bend, fields } = options;
    const [index = -1] = await world.log.log([payload, signer]);
    const scene = await world.scene();
    await world.log.publish(scene.copy, {
      release,
      decision: index,
      entries,
      counter: 7,
      ...(bend === undefined ? {} : { bend }),
      ...(fields === undefined ? {} : { fields }),
    });
    return scene;
  }

  const inputsOf = async (entries: readonly number[]): Promise<readonly Digest[]> =>
    (await Promise.all(entries.map((index) => world.log.digestOf(index)))).sort();

  it('a whole waybill made the same way installs: the attacks below fail for the reason they name', async () => {
    const inputs = await inputsOf([...world.evidence, ...approvals]);
    await expectInstalled(await offer(decision(world, world.three, { inputs }), [...world.honest, ...approvals]), '1.2.0');
  });

  describe('B6 stage order', () => {
    it('a waybill without the decision of the stage before is refused', async () => {
      const decisions = await world.log.about(world.three, PREDICATE.decision);
      const [preprod] = decisions.slice(1, 2);
      const scene = await offer(decision(world, world.three), [...world.honest.filter((index) => index !== preprod), ...approvals]);
      await expectRefusal(scene, 'WAYBILL_STAGE_ORDER', 4);
    });

    it('a FAILED decision is refused', async () => {
      await expectRefusal(
        await offer(decision(world, world.three, { result: 'FAILED' }), [...world.honest, ...approvals]),
        'WAYBILL_STAGE_ORDER',
        4,
      );
    });

    it('a decision out of dev, past edge-preprod, is refused', async () => {
      await expectRefusal(
        await offer(decision(world, world.three, { from: 'dev' }), [...world.honest, ...approvals]),
        'WAYBILL_STAGE_ORDER',
        4,
      );
    });

    it('a decision under a policy that this one does not accept is refused', async () => {
      const policy: Digest = `sha256:${'ab'.repeat(32)}` as Digest;
      await expectRefusal(await offer(decision(world, world.three, { policy }), [...world.honest, ...approvals]), 'WAYBILL_STAGE_ORDER', 4);
    });
  });

  describe('B6 another subject', () => {
    it('a decision about another release is refused', async () => {
      await expectRefusal(await offer(decision(world, world.two), [...world.honest, ...approvals]), 'WAYBILL_SUBJECT', 4);
    });

    it('mixed bundles: a waybill of another release than the channel points at is refused', async () => {
      const scene = await offer(decision(world, world.three), [...world.honest, ...approvals], { fields: { release: world.two } });
      await expectRefusal(scene, 'WAYBILL_SUBJECT', 4);
    });
  });

  describe('B6 signatures', () => {
    it('a decision signed by dev’s key is refused', async () => {
      await expectRefusal(
        await offer(decision(world, world.three), [...world.honest, ...approvals], { signer: 'dev' }),
        'WAYBILL_SIGNATURE',
        4,
      );
    });

    it('a statement changed under its signature is refused', async () => {
      const bend = (bundles: JsonObject[]): JsonObject[] =>
        bundles.map((bundle) =>
          statementIn(bundle).predicateType === PREDICATE.testResult
            ? withPayload(bundle, (text) => text.replace('"passed":5', '"passed":6'))
            : bundle,
        );
      await expectRefusal(await offer(decision(world, world.three), [...world.honest, ...approvals], { bend }), 'WAYBILL_SIGNATURE', 4);
    });
  });

  function withPayload(bundle: JsonObject, change: (text: string) => string): JsonObject {
    const envelope = bundle['dsseEnvelope'] as JsonObject;
    const payload = Buffer.from(change(Buffer.from(envelope['payload'] as string, 'base64').toString())).toString('base64');
    return { ...bundle, dsseEnvelope: { ...envelope, payload } };
  }

  describe('B6 approvals', () => {
    it('a decision without approvals is refused', async () => {
      await expectRefusal(await offer(decision(world, world.three), world.honest), 'WAYBILL_APPROVALS', 3);
    });

    it('one person who approves twice is one', async () => {
      const [first = -1] = approvals;
      const [second = -1] = await world.log.log([await approval(world, world.three), 'alice']);
      await expectRefusal(await offer(decision(world, world.three), [...world.honest, first, second]), 'WAYBILL_APPROVALS', 3);
    });

    it('the author’s approval does not count', async () => {
      const [first = -1] = approvals;
      const [author = -1] = await world.log.log([await approval(world, world.three), 'author']);
      await expectRefusal(await offer(decision(world, world.three), [...world.honest, first, author]), 'WAYBILL_APPROVALS', 3);
    });

    it('an approval that had expired when the decision was witnessed does not count', async () => {
      const expired = await approval(world, world.three, { expiresAt: '2026-01-01T00:00:00Z' });
      const [first = -1] = approvals;
      const [late = -1] = await world.log.log([expired, 'bob']);
      await expectRefusal(await offer(decision(world, world.three), [...world.honest, first, late]), 'WAYBILL_APPROVALS', 3);
    });

    it('an approval that saw other evidence does not count', async () => {
      const [first = -1] = approvals;
      const [blind = -1] = await world.log.log([await approval(world, world.three, { seen: [] }), 'bob']);
      await expectRefusal(await offer(decision(world, world.three), [...world.honest, first, blind]), 'WAYBILL_APPROVALS', 3);
    });

    it('an approval logged after the decision does not count', async () => {
      const [first = -1] = approvals;
      const [decided = -1] = await world.log.log([decision(world, world.three), 'prod']);
      const [after = -1] = await world.log.log([await approval(world, world.three), 'bob']);
      const scene = await world.scene();
      await world.log.publish(scene.copy, {
        release: world.three,
        decision: decided,
        entries: [...world.honest, first, after],
        counter: 7,
      });
      await expectRefusal(scene, 'WAYBILL_APPROVALS', 3);
    });
  });

  describe('B6 evidence', () => {
    it('no test result at all is refused', async () => {
      const tests = await world.log.about(world.three, PREDICATE.testResult);
      await expectRefusal(
        await offer(decision(world, world.three), [...world.honest.filter((index) => !tests.includes(index)), ...approvals]),
        'EVIDENCE_RESULT',
        3,
      );
    });

    it('a test result about another release is refused', async () => {
      const tests = await world.log.about(world.three, PREDICATE.testResult);
      const others = await world.log.about(world.two, PREDICATE.testResult);
      await expectRefusal(
        await offer(decision(world, world.three), [...world.honest.filter((index) => !tests.includes(index)), ...others, ...approvals]),
        'EVIDENCE_SUBJECT',
        3,
      );
    });

    it('a test result by a signer who is no lab is refused', async () => {
      const tests = await world.log.about(world.three, PREDICATE.testResult);
      const [forged = -1] = await world.log.log([await testResult((result) => result), 'builder']);
      await expectRefusal(
        await offer(decision(world, world.three), [...world.honest.filter((index) => !tests.includes(index)), forged, ...approvals]),
        'EVIDENCE_SIGNER',
        3,
      );
    });

    it('a FAILED test result of the same suite, logged later, is not outvoted by an older pass', async () => {
      const failed = await testResult((result) => ({ ...result, result: 'FAILED', failedTests: ['case 1'] }));
      const [later = -1] = await world.log.log([failed, 'lab']);
      await expectRefusal(await offer(decision(world, world.three), [...world.honest, later, ...approvals]), 'EVIDENCE_RESULT', 3);
    });

    it('a lab that says PASSED over a report in which nothing ran is refused', async () => {
      const tests = await world.log.about(world.three, PREDICATE.testResult);
      const report = Buffer.from('<testsuites><testsuite name="readings" tests="0"/></testsuites>');
      const hex = createHash('sha256').update(report).digest('hex');
      const empty = await testResult((result) => ({ ...result, configuration: withReport(result['configuration'], hex) }));
      const [index = -1] = await world.log.log([empty, 'lab']);
      const [decided = -1] = await world.log.log([decision(world, world.three), 'prod']);
      const scene = await world.scene();
      scene.copy.blob(new Uint8Array(report));
      await world.log.publish(scene.copy, {
        release: world.three,
        decision: decided,
        entries: [...world.honest.filter((each) => !tests.includes(each)), index, ...approvals],
        counter: 7,
      });
      await expectRefusal(scene, 'EVIDENCE_RESULT', 3);
    });
  });

  /** The lab's own test result about 1.2.0, changed. */
  async function testResult(change: (predicate: Record<string, JsonValue>) => Record<string, JsonValue>): Promise<Uint8Array> {
    const [index = -1] = await world.log.about(world.three, PREDICATE.testResult);
    const { subject, predicate } = statementIn(await world.log.bundle(index));
    const subjects = subject.map(({ digest }) => ({ digest: `sha256:${digest.sha256}` as Digest }));
    return testResultStatement(subjects, change({ ...(predicate as Record<string, JsonValue>), salt: 'ab'.repeat(16) }));
  }

  function withReport(configuration: JsonValue | undefined, hex: string): JsonValue {
    const [suite, ...others] = configuration as JsonObject[];
    return [{ ...suite, digest: { sha256: hex } }, ...others];
  }
}
