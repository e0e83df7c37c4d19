/** Thieves of keys (THREATS T1, T2, T3, T5): what each can do with what he holds, and what no site believes him. */
import path from 'node:path';
import { canonicalJson, type JsonObject, PREDICATE } from '@sealane/core';
import { describeTarget, policyDigest, publishedTargetPath, signMetadata, testResultStatement } from '@sealane/trust';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleSigner } from './attacker.js';
import { statementIn } from './log-holder.js';
import { approval, decision } from './statements.js';
import { expectInstalled, expectRefusal, type Scene, type World } from './world.js';

export function thievesAttacks(at: () => World): void {
  let world: World;

  beforeAll(async () => {
    world = at();
  });

  describe('T1: the promoter’s host with every online key', () => {
    it('makes no new waybill: without people there are no approvals', async () => {
      const inputs = (await Promise.all(world.evidence.map((index) => world.log.digestOf(index)))).sort();
      const [decided = -1] = await world.log.log([decision(world, world.three, { inputs }), 'prod']);
      const scene = await world.scene();
      await world.log.publish(scene.copy, {
        release: world.three,
        decision: decided,
        entries: world.honest,
        counter: 7,
      });
      await expectRefusal(scene, 'WAYBILL_APPROVALS', 3);
    });

    it('cannot forge approvals with keys of its own', async () => {
      const forged = await world.log.log([await approval(world, world.three), 'prod'], [await approval(world, world.three), 'snapshot']);
      const [decided = -1] = await world.log.log([decision(world, world.three), 'prod']);
      const scene = await world.scene();
      await world.log.publish(scene.copy, {
        release: world.three,
        decision: decided,
        entries: [...world.honest, ...forged],
        counter: 7,
      });
      await expectRefusal(scene, 'WAYBILL_APPROVALS', 3);
    });

    it('changes no policy: the owners’ keys are not here', async () => {
      const scene = await world.scene();
      const { copy } = scene;
      const policy = JSON.parse(Buffer.from(copy.target('targets', 'policy/prod.json')).toString()) as JsonObject;
      const weak = canonicalJson({ ...policy, quorum: 1, gates: [] });
      const target = describeTarget('policy/prod.json', weak);
      copy.write(`trust/${publishedTargetPath(target)}`, weak);
      const targets = JSON.parse(Buffer.from(copy.role('targets')).toString()) as { signed: JsonObject & { targets: JsonObject } };
      const listed = {
        ...targets.signed.targets,
        'policy/prod.json': { length: target.lengthBytes, hashes: { sha256: target.sha256Hex } },
      };
      const unsigned = canonicalJson({
        signatures: [],
        signed: { ...targets.signed, version: copy.version('targets') + 1, targets: listed },
      });
      await copy.setRole('targets', await signMetadata(unsigned, ['snapshot', 'timestamp', 'prod'].map(exampleSigner)));
      await expectRefusal(scene, 'TRUST_THRESHOLD', 4);
    });

    it('can point sites at another release with a full waybill, at or above the floor', async () => {
      const scene = await world.scene(world.published);
      await expectInstalled(scene, '1.1.0');
      const { rollback, ...channel } = scene.copy.channel();
      const [choice] = rollback;
      expect(choice?.release).toBe(world.one);
      await scene.copy.setChannel({ ...channel, rollback, groups: channel.groups.map((group) => ({ ...group, ...choice })) });
      await expectInstalled(scene, '1.0.0');
    });

    it('has no power over time: a release whose approvals had expired when witnesses saw it stays refused', async () => {
      const late = await world.log.log(
        [await approval(world, world.three, { expiresAt: '2026-01-01T00:00:00Z' }), 'alice'],
        [await approval(world, world.three, { expiresAt: '2026-01-01T00:00:00Z' }), 'bob'],
      );
      const [decided = -1] = await world.log.log([decision(world, world.three, {}), 'prod']);
      const scene = await world.scene();
      await world.log.publish(scene.copy, {
        release: world.three,
        decision: decided,
        entries: [...world.honest, ...late],
        counter: 7,
      });
      await expectRefusal(scene, 'WAYBILL_APPROVALS', 3);
    });
  });

  describe('T2: prod’s stage key', () => {
    it.each(['policy/prod.json', 'trusted_root.json', 'channel/dev.json'])('publishes no %s', async (name) => {
      const scene = await world.scene();
      const { copy } = scene;
      const role = JSON.parse(Buffer.from(copy.role('prod')).toString()) as { signed: JsonObject & { targets: JsonObject } };
      const targets = { ...role.signed.targets, [name]: { length: 2, hashes: { sha256: 'ab'.repeat(32) } } };
      const unsigned = canonicalJson({ signatures: [], signed: { ...role.signed, version: copy.version('prod') + 1, targets } });
      await copy.setRole('prod', await signMetadata(unsigned, [exampleSigner('prod')]));
      await expectRefusal(scene, 'TRUST_WRONG_ROLE', 4);
    });
  });

  describe('T3: dev’s key', () => {
    it('poisons dev only: prod refuses what no lab tested and nobody approved', async () => {
      const poison = await world.lane.release('6.6.6');
      const release = poison as typeof world.one;
      const indexes = await world.log.log([decision(world, release, { stage: 'dev', from: null, to: 'dev' }), 'dev']);
      const [decided = -1] = await world.log.log([decision(world, release), 'dev']);
      const scene = await world.scene();
      await world.log.publish(scene.copy, {
        release,
        decision: decided,
        entries: [...(await world.log.about(release, PREDICATE.release)), ...indexes],
        counter: 7,
      });
      await expectRefusal(scene, 'WAYBILL_SIGNATURE', 4);
    });
  });

  describe('T5: a lab’s key', () => {
    it('is void from the index at which the owners ended it, offline too; what it signed before stands', async () => {
      const { home, sealane } = world.lane;
      const { keys } = (await sealane(['key', 'list'])) as { keys: { id: string; names: string[] }[] };
      const lab = keys.find(({ names }) => names.includes('lab'))?.id ?? '';
      const until = await world.log.size();
      const [test = -1] = await world.log.about(world.three, PREDICATE.testResult);
      const { subject, predicate } = statementIn(await world.log.bundle(test));
      const again = testResultStatement(
        subject.map(({ digest }) => ({ digest: `sha256:${digest.sha256}` as typeof world.one })),
        { ...predicate, salt: 'cd'.repeat(16) },
      );
      const [stolen = -1] = await world.log.log([again, 'lab']);
      expect(
        (await sealane(['key', 'revoke', lab, '--until-index', String(until), '--reason', 'stolen from the lab'], 5)).error ?? null,
      ).toBe(null);
      for (const owner of ['targets-1', 'targets-2']) await sealane(['trust', 'sign', path.join(home, 'proposal.json'), '--key', owner]);
      await sealane(['trust', 'publish']);
      const evidence = world.honest.filter((index) => index !== test && index !== stolen);
      const offer = async (result: number): Promise<Scene> => {
        const scene = await world.scene();
        const policy = policyDigest(scene.copy.target('targets', 'policy/prod.json'));
        const seen = (
          await Promise.all(
            [...(await world.log.about(world.three, PREDICATE.provenance)), result].map((index) => world.log.digestOf(index)),
          )
        ).sort();
        const votes = await world.log.log(
          [await approval(world, world.three, { seen, policy }), 'alice'],
          [await approval(world, world.three, { seen, policy }), 'bob'],
        );
        const [decided = -1] = await world.log.log([decision(world, world.three, { policy }), 'prod']);
        await world.log.publish(scene.copy, {
          release: world.three,
          decision: decided,
          entries: [...evidence, result, ...votes],
          counter: 7,
        });
        return scene;
      };
      await expectRefusal(await offer(stolen), 'KEY_REVOKED', 4);
      await expectInstalled(await offer(test), '1.2.0');
    });
  });
}
