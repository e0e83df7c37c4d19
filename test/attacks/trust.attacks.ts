/** Attacks on the lane's trust metadata (TUF spec 1.5.2), on a real lane and a real site. */
import { readFileSync, writeFileSync } from 'node:fs';
import { canonicalJson, fromBase64, type JsonObject, utf8 } from '@sealane/core';
import { describeTarget, publishedMetadataPath, publishedTargetPath, signMetadata, targetsMetadata, tufExpiryAt } from '@sealane/trust';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleSigner, LaneCopy, now } from './attacker.js';
import { expectInstalled, expectRefusal, type World } from './world.js';

export function trustAttacks(at: () => World): void {
  let world: World;

  beforeAll(async () => {
    world = at();
  });

  const TIMESTAMP = 'trust/metadata/timestamp.json';

  /** Changes the signed part of a document and keeps its signatures. */
  function bend(
    copy: LaneCopy,
    name: string,
    change: (document: { signed: Record<string, unknown>; signatures: unknown[] }) => void,
  ): void {
    const document = JSON.parse(readFileSync(copy.file(name), 'utf8')) as { signed: Record<string, unknown>; signatures: unknown[] };
    change(document);
    copy.write(name, canonicalJson(document as unknown as JsonObject));
  }

  it('the lane as it is published installs: the attacks below fail for the reason they name', async () => {
    await expectInstalled(await world.scene(), '1.1.0');
  });

  describe('B6 arbitrary software', () => {
    it('a channel signed by another stage’s key is refused', async () => {
      const scene = await world.scene();
      await scene.copy.setChannel(scene.copy.channel(), { stageSigner: 'dev' });
      await expectRefusal(scene, 'TRUST_THRESHOLD', 4);
    });

    it('a timestamp without signatures is refused', async () => {
      const scene = await world.scene();
      bend(scene.copy, TIMESTAMP, (document) => (document.signatures = []));
      await expectRefusal(scene, 'TRUST_THRESHOLD', 4);
    });

    it('a timestamp whose version was changed under its signature is refused', async () => {
      const scene = await world.scene();
      bend(scene.copy, TIMESTAMP, ({ signed }) => (signed['version'] = Number(signed['version']) + 1));
      await expectRefusal(scene, 'TRUST_THRESHOLD', 4);
    });

    it('targets signed by one of two owners are refused', async () => {
      const scene = await world.scene();
      await forgeTargets(scene.copy, ['targets-1']);
      await expectRefusal(scene, 'TRUST_THRESHOLD', 4);
    });

    it('targets signed by one owner twice are refused', async () => {
      const scene = await world.scene();
      await forgeTargets(scene.copy, ['targets-1', 'targets-1']);
      await expectRefusal(scene, 'TRUST_THRESHOLD', 4);
    });

    it('a next root signed by the owners of another lane only is refused', async () => {
      const scene = await world.scene();
      const root = JSON.parse(readFileSync(scene.copy.file('trust/metadata/1.root.json'), 'utf8')) as { signed: Record<string, unknown> };
      const unsigned = canonicalJson({ signatures: [], signed: { ...root.signed, version: 2 } });
      scene.copy.write('trust/metadata/2.root.json', await signMetadata(unsigned, [exampleSigner('dev'), exampleSigner('lab')]));
      await expectRefusal(scene, 'TRUST_THRESHOLD', 4);
    });
  });

  /** New targets metadata with a policy that asks for nothing, signed by these owners. */
  async function forgeTargets(copy: LaneCopy, owners: readonly string[]): Promise<void> {
    const policy = JSON.parse(Buffer.from(copy.target('targets', 'policy/prod.json')).toString()) as Record<string, unknown>;
    const weak = canonicalJson({ ...policy, gates: [] });
    const policyTarget = describeTarget('policy/prod.json', weak);
    const trustedRoot = describeTarget('trusted_root.json', copy.target('targets', 'trusted_root.json'));
    copy.write(`trust/${publishedTargetPath(policyTarget)}`, weak);
    const unsigned = targetsMetadata({
      version: copy.version('targets') + 1,
      expiresAt: tufExpiryAt('targets', now()),
      targets: [policyTarget, trustedRoot],
      stages: ['dev', 'edge-preprod', 'prod'].map((stage) => ({ stage, keys: [exampleSigner(stage).spki], threshold: 1 })),
    });
    await copy.setRole('targets', await signMetadata(unsigned, owners.map(exampleSigner)));
  }

  describe('B6 rollback', () => {
    it('an older timestamp, snapshot and channel are refused', async () => {
      const scene = await world.scene();
      await expectInstalled(scene, '1.1.0');
      const older = new LaneCopy(world.older);
      for (const name of ['metadata/timestamp.json', publishedMetadataPath('snapshot', older.version('snapshot'))])
        scene.copy.write(`trust/${name}`, older.read(`trust/${name}`));
      await expectRefusal(scene, 'TRUST_ROLLBACK', 4);
    });

    it('a root offered again as the next version is refused', async () => {
      const scene = await world.scene();
      scene.copy.write('trust/metadata/2.root.json', scene.copy.read('trust/metadata/1.root.json'));
      await expectRefusal(scene, 'TRUST_ROLLBACK', 4);
    });
  });

  describe('B6 freeze', () => {
    it('a timestamp that has expired is refused, and what runs goes on', async () => {
      const scene = await world.scene(world.older);
      expect((await scene.site.must(['update'])).outcome).toBe('unchanged');
      await scene.copy.refresh({ timestampExpiresAt: `${new Date(Date.now() - 1000).toISOString().slice(0, 19)}Z` });
      await expectRefusal(scene, 'TRUST_EXPIRED', 4);
    });
  });

  describe('B6 mix and match', () => {
    it('a snapshot of another publish under this timestamp is refused', async () => {
      const scene = await world.scene();
      const current = publishedMetadataPath('snapshot', scene.copy.version('snapshot'));
      const old = new LaneCopy(world.older);
      scene.copy.write(`trust/${current}`, old.role('snapshot'));
      await expectRefusal(scene, 'TRUST_MISMATCH', 4);
    });

    it('a channel with one byte flipped is refused', async () => {
      const scene = await world.scene();
      const name = `trust/${scene.copy.targetPath('prod', 'channel/prod.json')}`;
      const bytes = scene.copy.read(name);
      bytes[bytes.length >> 1]! ^= 1;
      scene.copy.write(name, bytes);
      await expectRefusal(scene, 'TRUST_MISMATCH', 4);
    });
  });

  describe('B6 endless data', () => {
    it('an endless timestamp is refused', async () => {
      const scene = await world.scene();
      writeFileSync(scene.copy.file(TIMESTAMP), Buffer.alloc(8 << 20, 0x20));
      await expectRefusal(scene, 'TRUST_TOO_LARGE', 4);
    });

    it('a document nested past its bound is refused', async () => {
      const scene = await world.scene();
      scene.copy.write(TIMESTAMP, `${'['.repeat(200)}${']'.repeat(200)}`);
      await expectRefusal(scene, 'TRUST_TOO_LARGE', 4);
    });
  });

  describe('B6 wrong software: the wrong role', () => {
    it('a stage’s role that lists a policy beside its channel is refused', async () => {
      const scene = await world.scene();
      const { copy } = scene;
      const document = JSON.parse(Buffer.from(copy.role('prod')).toString()) as { signed: Record<string, unknown> };
      const targets = { ...(document.signed['targets'] as object), 'policy/prod.json': { length: 2, hashes: { sha256: 'ab'.repeat(32) } } };
      const unsigned = canonicalJson({ signatures: [], signed: { ...document.signed, version: copy.version('prod') + 1, targets } });
      await copy.setRole('prod', await signMetadata(unsigned, [exampleSigner('prod')]));
      await expectRefusal(scene, 'TRUST_WRONG_ROLE', 4);
    });

    it('dev’s channel offered as prod’s is refused, though prod’s own key signed it', async () => {
      const scene = await world.scene();
      await scene.copy.setChannelBytes(scene.copy.target('dev', 'channel/dev.json'));
      await expectRefusal(scene, 'TRUST_WRONG_ROLE', 4);
    });
  });

  describe('B6 malformed documents', () => {
    it('a truncated timestamp is refused', async () => {
      const scene = await world.scene();
      const bytes = scene.copy.read(TIMESTAMP);
      scene.copy.write(TIMESTAMP, bytes.subarray(0, bytes.length - 10));
      await expectRefusal(scene, 'TRUST_MALFORMED', 4);
    });

    it('a timestamp that says a key twice is refused', async () => {
      const scene = await world.scene();
      const text = readFileSync(scene.copy.file(TIMESTAMP), 'utf8');
      scene.copy.write(TIMESTAMP, text.replace('"signed":{', '"signed":{"version":1,'));
      await expectRefusal(scene, 'TRUST_MALFORMED', 4);
    });

    it('a channel that is not canonical is refused, though the stage’s key signed its hash', async () => {
      const scene = await world.scene();
      const text = new TextDecoder().decode(scene.copy.target('prod', 'channel/prod.json'));
      await scene.copy.setChannelBytes(utf8(text.replace('{', '{ ')));
      await expectRefusal(scene, 'TRUST_MALFORMED', 4);
    });
  });

  describe('B6 example keys', () => {
    it('a site that does not allow them refuses a lane made of them', async () => {
      const scene = await world.scene();
      const config = readFileSync(scene.site.config, 'utf8');
      writeFileSync(scene.site.config, config.replace('allowExampleKeys: true', 'allowExampleKeys: false'));
      await expectRefusal(scene, 'TRUST_EXAMPLE_KEYS', 4);
    });
  });

  it('policy and trusted root that disagree are refused', async () => {
    const scene = await world.scene();
    const root = JSON.parse(Buffer.from(scene.copy.target('targets', 'trusted_root.json')).toString()) as {
      tlogs: { publicKey: { rawBytes: string } }[];
    };
    const key = fromBase64(root.tlogs[0]!.publicKey.rawBytes);
    key[key.length - 1]! ^= 1;
    root.tlogs[0]!.publicKey.rawBytes = Buffer.from(key).toString('base64');
    const forged = canonicalJson(root);
    const { copy } = scene;
    const target = describeTarget('trusted_root.json', forged);
    copy.write(`trust/${publishedTargetPath(target)}`, forged);
    const policy = describeTarget('policy/prod.json', copy.target('targets', 'policy/prod.json'));
    const unsigned = targetsMetadata({
      version: copy.version('targets') + 1,
      expiresAt: tufExpiryAt('targets', now()),
      targets: [policy, target],
      stages: ['dev', 'edge-preprod', 'prod'].map((stage) => ({ stage, keys: [exampleSigner(stage).spki], threshold: 1 })),
    });
    await copy.setRole('targets', await signMetadata(unsigned, ['targets-1', 'targets-2'].map(exampleSigner)));
    await expectRefusal(scene, 'TRUST_MISMATCH', 4);
  });
}
