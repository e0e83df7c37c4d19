/** cosign, with the log check on and our lane's trusted root, takes the bundles that we write and refuses changed ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLaneTrust } from '../../packages/promoter/src/trust/lane-trust.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { replaceLogKey } from '../support/log-key.js';
import { requireProgram } from '../support/require-program.js';
import { type Ended, runProgram } from '../support/run.js';

const cosign = requireProgram('cosign');

type Json = Record<string, unknown>;

describe.skipIf(cosign === undefined)('cosign verify-blob-attestation (skipped without cosign)', () => {
  let dir: string;
  let lane: TestLane;
  let release: string;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-cosign-'));
    lane = await makeLane(dir);
    release = await lane.release('1.0.0');
    await lane.promote(release);
  });

  afterAll(async () => {
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The logged statement of this type about the release, as `log prove` prints it. */
  async function bundleOf(predicateType: string): Promise<Json> {
    const { statements } = await lane.sealane(['evidence', 'list', release]);
    const found = (statements as { predicateType: string; digest: string }[]).find(
      (statement) => statement.predicateType === predicateType,
    );
    const { digest } = found ?? { digest: '' };
    return (await lane.sealane(['log', 'prove', digest])).bundle as Json;
  }

  async function verify(bundle: Json, predicateType: string, key: string): Promise<Ended> {
    const [file, pem] = [path.join(dir, 'bundle.json'), path.join(dir, `${key}.pub`)];
    writeFileSync(file, JSON.stringify(bundle));
    writeFileSync(pem, (await lane.sealane(['key', 'export', key])).public);
    const root = path.join(dir, 'trusted_root.json');
    writeFileSync(root, readLaneTrust({ trust: path.join(lane.lane, 'trust') }).trustedRoot);
    const words = ['verify-blob-attestation', '--key', pem, '--bundle', file, '--trusted-root', root, '--type', predicateType];
    return await runProgram(cosign ?? '', [...words, '--digest', release.slice('sha256:'.length), '--digestAlg', 'sha256']);
  }

  const kinds = [
    ['https://slsa.dev/provenance/v1', 'builder'],
    ['https://in-toto.io/attestation/test-result/v0.1', 'lab'],
    ['urn:sealane:approval:v1', 'alice'],
  ] as const;

  it.each(kinds)('accepts %s by %s', async (predicateType, key) => {
    const ended = await verify(await bundleOf(predicateType), predicateType, key);
    expect(ended.exit, ended.stderr).toBe(0);
  });

  const [provenance, builder] = kinds[0];
  const bent: readonly (readonly [string, (bundle: Json) => void])[] = [
    ['another signature', (bundle) => flip(at(bundle, 'dsseEnvelope', 'signatures', 0), 'sig', 20)],
    ['another payload', (bundle) => flip(at(bundle, 'dsseEnvelope'), 'payload', 40)],
    [
      'another hash in the log proof',
      (bundle) => flip(at(bundle, 'verificationMaterial', 'tlogEntries', 0, 'inclusionProof', 'hashes'), '0', 5),
    ],
    ['a checkpoint that the log did not sign', (bundle) => noteOf(bundle, (note) => note.replace(/^(\S+\n)\d+/, '$199'))],
    ['no log entry', (bundle) => (at(bundle, 'verificationMaterial')['tlogEntries'] = [])],
  ];

  it.each(bent)('refuses %s', async (_what, bend) => {
    const bundle = await bundleOf(provenance);
    bend(bundle);
    const ended = await verify(bundle, provenance, builder);
    expect(ended.exit, ended.stdout).not.toBe(0);
  });

  it('accepts what was logged before the log had another key, and after', async () => {
    const before = await bundleOf(provenance);
    const witness = await replaceLogKey(lane);
    try {
      // the old bundle as it was kept, and as it is proved now; and one that only the new key has seen
      for (const bundle of [before, await bundleOf(provenance)]) expect((await verify(bundle, provenance, builder)).exit).toBe(0);
      release = await lane.release('1.1.0');
      await lane.promote(release, 'dev');
      const ended = await verify(await bundleOf(provenance), provenance, builder);
      expect(ended.exit, ended.stderr).toBe(0);
    } finally {
      await witness.stop();
    }
  });

  it('refuses another key, and another release', async () => {
    const bundle = await bundleOf(provenance);
    expect((await verify(bundle, provenance, 'lab')).exit).not.toBe(0);
    const other = release;
    release = `sha256:${'ab'.repeat(32)}`;
    try {
      expect((await verify(bundle, provenance, builder)).exit).not.toBe(0);
    } finally {
      release = other;
    }
  });
});

function at(value: Json, ...path_: readonly (string | number)[]): Json {
  return path_.reduce<Json>((found, step) => found[step] as Json, value);
}

/** Flips one bit of a byte of base64. */
function flip(holder: Json, key: string, index: number): void {
  const bytes = Buffer.from(holder[key] as string, 'base64');
  bytes[Math.min(index, bytes.length - 1)]! ^= 1;
  holder[key] = bytes.toString('base64');
}

function noteOf(bundle: Json, change: (note: string) => string): void {
  const checkpoint = at(bundle, 'verificationMaterial', 'tlogEntries', 0, 'inclusionProof', 'checkpoint');
  checkpoint['envelope'] = change(checkpoint['envelope'] as string);
}
