/**
 * Row A4 at a real site: it verifies a bundle that GitHub signed keyless, offline, against what its policy names, and refuses the same release once the
 * owners name anything else. Real bundles come from SEALANE_FOREIGN_VECTORS.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { foreignVectors } from '../support/foreign.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { editPipeline } from '../support/owners.js';
import { enrolSite, type TestSite } from '../support/site.js';

const foreign = foreignVectors();
const folder = path.join(foreign ?? '', 'sigstore');
const json = (name: string): object => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as object;

describe.skipIf(foreign === undefined)(
  'a release whose provenance was signed keyless on GitHub (skipped without SEALANE_FOREIGN_VECTORS)',
  () => {
    const bundle = path.join(folder, 'bundle-verify', 'happy-path-intoto-in-dsse-v3', 'bundle.sigstore.json');
    let dir: string;
    let lane: TestLane;
    let site: TestSite;
    let right: { readonly keyless: { readonly identity: string; readonly issuer: string; readonly trustedRoot: object } } & Readonly<
      Record<string, unknown>
    >;
    /** What the gate is told now, as it stands in the pipeline. */
    let told: string;

    beforeAll(async () => {
      const { cases } = json('manifest.json') as { cases: readonly { name: string; identity: string; issuer: string }[] };
      const { identity = '', issuer = '' } = cases.find(({ name }) => name === 'happy-path-intoto-in-dsse-v3') ?? {};
      right = {
        builder: 'https://github.com/loosebazooka/aa-test/.github/workflows/provenance.yaml@refs/heads/main',
        source: 'https://github.com/loosebazooka/aa-test',
        ref: 'refs/heads/main',
        commit: 'ebff8dfbd609b7b22237c7719ce07f2dc7934f5f',
        buildType: 'https://actions.github.io/buildtypes/workflow/v1',
        materials: ['https://github.com/loosebazooka/'],
        keyless: { identity, issuer, trustedRoot: json('production-trusted_root.json') },
      };
      told = JSON.stringify(right);
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-a4-'));
      const stages = `stages:\n  - { name: prod, gates: [{ use: provenance, with: ${told} }] }\n\n`;
      lane = await makeLane(dir, { pipeline: (text) => text.replace(/stages:\n[\s\S]*?\n\n/, () => stages) });
      site = await enrolSite(lane, path.join(dir, 'site'));
      const words = ['--name', 'a', '--version', '1.0.0', '--firmware', path.join(folder, 'bundle-verify', 'a.txt'), '--key', 'author'];
      const { release } = await lane.sealane(['release', 'create', ...words]);
      await lane.sealane(['evidence', 'add', release, '--bundle', bundle, '--key', 'author']);
      await lane.sealane(['promote', release, '--to', 'prod']);
    });
    afterAll(async () => {
      await lane.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    /** The owners name other provenance; decisions under the policy before go on counting. */
    async function tell(settings: object): Promise<void> {
      editPipeline(lane, told, JSON.stringify(settings));
      told = JSON.stringify(settings);
      const { file } = await lane.sealane(['trust', 'propose'], 5);
      for (const owner of ['targets-1', 'targets-2']) await lane.sealane(['trust', 'sign', file, '--key', owner]);
      await lane.sealane(['trust', 'publish', file]);
    }

    test('A4 a site admits it offline, and refuses it with each field of policy changed', async () => {
      expect(await site.must(['check'])).toMatchObject({ outcome: 'available' });
      const { keyless } = right;
      for (const [changed, reason] of [
        [
          { ...right, builder: 'https://github.com/loosebazooka/aa-test/.github/workflows/provenance.yaml@refs/heads/dev' },
          'EVIDENCE_PROVENANCE',
        ],
        [{ ...right, source: 'https://github.com/loosebazooka/aa-test2' }, 'EVIDENCE_PROVENANCE'],
        [{ ...right, ref: 'refs/tags/main' }, 'EVIDENCE_PROVENANCE'],
        [{ ...right, commit: 'ebff8dfbd609b7b22237c7719ce07f2dc7934f50' }, 'EVIDENCE_PROVENANCE'],
        [{ ...right, buildType: 'https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1' }, 'EVIDENCE_PROVENANCE'],
        [{ ...right, materials: ['https://github.com/loosebazooka'] }, 'EVIDENCE_PROVENANCE'],
        [{ ...right, keyless: { ...keyless, identity: keyless.identity.replace('refs/heads/main', 'refs/heads/.*') } }, 'EVIDENCE_SIGNER'],
        [{ ...right, keyless: { ...keyless, issuer: keyless.issuer.slice(0, -1) } }, 'EVIDENCE_SIGNER'],
      ] as const) {
        await tell(changed);
        const { exit, json: answer } = await site.run(['check']);
        expect({ exit, outcome: answer.outcome, reason: answer.reason }, JSON.stringify(changed)).toEqual({
          exit: 3,
          outcome: 'refused',
          reason,
        });
      }
      await tell(right);
      expect(await site.must(['check'])).toMatchObject({ outcome: 'available' });
    });
  },
);
