/** What is said of an image alone goes with the releases that have it: a gate asks for it wherever they are promoted. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildImage, openLayout, packedFile } from '@sealane/oci';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeHome, PIPELINE, type TestHome } from '../testing/test-home.js';

const SCAN = 'https://in-toto.io/attestation/vulns/v0.2';
const AT = '2026-11-24T10:00:00Z';
const SCANNED = PIPELINE.replace('tests: [lab]', 'tests: [lab], scans: [lab]').replace(
  'gates: [{ use: provenance }]',
  'gates: [{ use: vulnerabilities, with: { max: { critical: 0 }, maxAgeDays: 3650 } }]',
);

interface Listed {
  readonly statements: readonly { readonly predicateType: string; readonly digest: string }[];
}

let lane: TestHome;
let enclave: TestHome;
let release: string;

beforeAll(async () => {
  lane = await makeHome(SCANNED);
  // the same keys: its policies name the same author and the same lab
  enclave = await makeHome(SCANNED);
  const folder = path.join(lane.dir, 'layout');
  const layout = await openLayout(folder, { create: 'if-missing' });
  const platform = { os: 'linux', architecture: 'amd64' };
  const { digest } = await buildImage(layout, { platform, layers: [[packedFile('srv/version', Buffer.from('1\n'))]], config: {} });
  const words = ['--name', 'api', '--version', '1.0.0', '--image', `app=oci:${folder}@${digest}`, '--key', 'author'];
  release = (await lane.sealane(['release', 'create', ...words])).release;
  const scanner = { uri: 'pkg:github/scanner@1', version: '1', db: { lastUpdate: AT }, result: [] };
  const predicate = { scanner, metadata: { scanStartedOn: AT, scanFinishedOn: AT } };
  const subject = [{ digest: { sha256: digest.slice('sha256:'.length) } }];
  const scan = JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: SCAN, predicate });
  await lane.sealane(['evidence', 'add', release, '--scan', lane.file('scan.json', scan), '--key', 'lab']);
});

afterAll(async () => {
  await Promise.all([lane.stop(), enclave.stop()]);
});

const scansIn = ({ statements }: Listed): readonly string[] =>
  statements.filter(({ predicateType }) => predicateType === SCAN).map(({ digest }) => digest);

test('evidence list and verify name a scan of the image alone', async () => {
  const listed = scansIn(await lane.sealane(['evidence', 'list', release]));
  expect(listed).toHaveLength(1);
  expect(scansIn(await lane.sealane(['evidence', 'verify', release, '--to', 'dev']))).toEqual(listed);
});

test('a lane that it was carried to decides by it', async () => {
  const out = path.join(lane.dir, 'carried');
  await lane.sealane(['evidence', 'export', release, '--out', out]);
  await enclave.sealane(['evidence', 'import', out]);
  expect(scansIn(await enclave.sealane(['evidence', 'list', release]))).toEqual(scansIn(await lane.sealane(['evidence', 'list', release])));
  await enclave.sealane(['promote', release, '--to', 'dev']);
  // without it the gate does not pass
  const carried = path.join(out, 'statements.json');
  const bundles = JSON.parse(readFileSync(carried, 'utf8')) as readonly { readonly dsseEnvelope: { readonly payload: string } }[];
  const others = bundles.filter(({ dsseEnvelope }) => !Buffer.from(dsseEnvelope.payload, 'base64').toString().includes(SCAN));
  expect(others).toHaveLength(bundles.length - 1);
  writeFileSync(carried, JSON.stringify(others));
  const without = await makeHome(SCANNED);
  try {
    await without.sealane(['evidence', 'import', out]);
    await without.sealane(['promote', release, '--to', 'dev'], 3);
  } finally {
    await without.stop();
  }
});
