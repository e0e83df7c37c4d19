/** cosign and oras against a registry, with a lane's own trusted root. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestLane } from './lane.js';
import { requireProgram } from './require-program.js';
import { type Ended, runProgram } from './run.js';

/** The lane's published `trusted_root.json`: the one that the newest targets list. */
export function trustedRootOf({ lane }: Pick<TestLane, 'lane'>): string {
  const trust = path.join(lane, 'trust');
  const version = (name: string): number => Number(/^(\d+)\.targets\.json$/.exec(name)?.[1] ?? 0);
  const [newest = ''] = readdirSync(path.join(trust, 'metadata')).sort((left, right) => version(right) - version(left));
  const { signed } = JSON.parse(readFileSync(path.join(trust, 'metadata', newest), 'utf8')) as {
    signed: { targets: Record<string, { hashes: { sha256: string } }> };
  };
  return path.join(trust, 'targets', `${signed.targets['trusted_root.json']?.hashes.sha256 ?? ''}.trusted_root.json`);
}

/** `cosign verify-attestation` of an image, its log check on, for one of the lane's keys. */
export async function verifyAttestation(lane: TestLane, image: string, predicateType: string, key: string): Promise<Ended> {
  const pem = path.join(lane.dir, `${key}.pub`);
  writeFileSync(pem, (await lane.sealane(['key', 'export', key])).public);
  const words = ['verify-attestation', '--key', pem, '--trusted-root', trustedRootOf(lane), '--type', predicateType, image];
  return await runProgram(requireProgram('cosign') ?? '', words);
}

/** A manifest that `oras discover` shows at another. */
export interface Discovered {
  readonly digest: string;
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What `oras discover` shows at a manifest. */
export async function discover(image: string): Promise<readonly Discovered[]> {
  const ended = await runProgram(requireProgram('oras') ?? '', ['discover', '--plain-http', '--format', 'json', '--depth', '1', image]);
  if (ended.exit !== 0) throw new Error(`discover ${image}: ${ended.stderr}`);
  const { referrers, manifests } = JSON.parse(ended.stdout) as { referrers?: readonly Discovered[]; manifests?: readonly Discovered[] };
  return referrers ?? manifests ?? [];
}
