// A promotion to prod through three gates and two approvals, beside one signature and its verification by cosign.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeLane, prepare, release } from './lane.mjs';
import { find, median, round, timed } from './measure.mjs';

const RUNS = 5;

export async function measurePromote() {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-'));
  const lane = await makeLane(dir);
  const cosign = find('cosign');
  const env = { ...process.env, COSIGN_PASSWORD: '' };
  try {
    if (cosign !== undefined) timed(cosign, ['generate-key-pair'], { cwd: dir, env });
    const [ours, theirs] = [[], []];
    for (let run = 0; run < RUNS; run += 1) {
      const { id } = await release(lane, `1.0.${run}`, Buffer.from('data'));
      prepare(lane, id);
      ours.push(lane.sealane('promote', id, '--to', 'prod').ms);
      if (cosign !== undefined) theirs.push(attest(cosign, dir, env));
    }
    const [mine, peer] = [median(ours), theirs.length === 0 ? null : median(theirs)];
    const what =
      '`promote` to prod (provenance, tests, hardware, two approvals; witnessed and published), beside `cosign attest-blob` + `verify-blob-attestation`';
    return [
      {
        id: 'promote',
        what,
        ours: round(mine),
        peer: peer === null ? null : round(peer),
        limit: null,
        ratio: peer === null ? null : round(mine / peer),
        unit: 'ms',
      },
    ];
  } finally {
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function attest(cosign, dir, env) {
  const blob = path.join(dir, 'blob');
  writeFileSync(blob, readFileSync(path.join(dir, 'provenance.json')));
  const [bundle, root] = [path.join(dir, 'cosign.bundle'), path.join(dir, 'signing.json')];
  writeFileSync(root, JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json' }));
  const type = 'https://slsa.dev/provenance/v1';
  const signed = timed(
    cosign,
    [
      'attest-blob',
      '--key',
      path.join(dir, 'cosign.key'),
      '--predicate',
      path.join(dir, 'provenance.json'),
      '--type',
      type,
      '--bundle',
      bundle,
      '--signing-config',
      root,
      '-y',
      blob,
    ],
    { cwd: dir, env },
  );
  const verified = timed(
    cosign,
    ['verify-blob-attestation', '--key', path.join(dir, 'cosign.pub'), '--bundle', bundle, '--insecure-ignore-tlog', '--type', type, blob],
    { cwd: dir, env },
  );
  return signed.ms + verified.ms;
}
