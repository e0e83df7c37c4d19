/** A small lane's TUF repository in memory, made by the product's own publisher with fresh keys: to be bent, served, rotated by tests. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import { keyIdOf, type Signer, utf8 } from '@sealane/core';
import {
  describeRole,
  describeTarget,
  EXAMPLE_MARK,
  publishedMetadataPath,
  publishedTargetPath,
  rootMetadata,
  signMetadata,
  snapshotMetadata,
  stageMetadata,
  targetsMetadata,
  timestampMetadata,
  tufExpiryAt,
} from '@sealane/trust';

/** A P-256 signer over a key pair made here. */
export function testSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return {
    keyId: keyIdOf(spki),
    spki,
    sign: (data) => Promise.resolve(new Uint8Array(createSign('sha256').update(data).sign(privateKey))),
  };
}

/** Every key of the lane; a test replaces entries to rotate. */
export interface LaneKeys {
  root: Signer[];
  targets: Signer[];
  snapshot: Signer;
  timestamp: Signer;
  stages: Record<string, Signer>;
}

/** The repository: `files` maps `metadata/…` and `targets/…` to bytes; the other fields are what the next `publish` writes. */
export interface TufLane {
  readonly files: Map<string, Uint8Array>;
  readonly keys: LaneKeys;
  readonly versions: Record<string, number>;
  now: string;
  /** Publishes root N+1, signed by the old root keys and by the lane's present ones. */
  publishRoot(): Promise<void>;
  /** Publishes targets, every stage with this content in its channel, snapshot and timestamp, each one version up. */
  publish(content?: string): Promise<void>;
  /** Re-signs snapshot and timestamp only. */
  refresh(): Promise<void>;
}

const spkis = (signers: readonly Signer[]): Uint8Array[] => signers.map((signer) => signer.spki);

/** A lane with stages dev and prod at root 1, published once. `now` is when it is made. */
export async function makeTufLane(now: string): Promise<TufLane> {
  const keys: LaneKeys = {
    root: [testSigner(), testSigner(), testSigner()],
    targets: [testSigner(), testSigner()],
    snapshot: testSigner(),
    timestamp: testSigner(),
    stages: { dev: testSigner(), prod: testSigner() },
  };
  const files = new Map<string, Uint8Array>();
  const versions: Record<string, number> = { root: 0, targets: 0, snapshot: 0, timestamp: 0, dev: 0, prod: 0 };
  let rootSigners: Signer[] = [];

  const put = async (role: string, unsigned: Uint8Array, signers: readonly Signer[]): Promise<Uint8Array> => {
    const bytes = await signMetadata(unsigned, signers);
    files.set(publishedMetadataPath(role, versions[role] ?? 0), bytes);
    return bytes;
  };
  const up = (role: string): number => (versions[role] = (versions[role] ?? 0) + 1);
  const current = (role: string): Uint8Array => files.get(publishedMetadataPath(role, versions[role] ?? 0)) ?? new Uint8Array();

  const lane: TufLane = {
    files,
    keys,
    versions,
    now,
    async publishRoot() {
      const roles = {
        root: { keys: spkis(keys.root), threshold: 2 },
        targets: { keys: spkis(keys.targets), threshold: 2 },
        snapshot: { keys: [keys.snapshot.spki], threshold: 1 },
        timestamp: { keys: [keys.timestamp.spki], threshold: 1 },
      };
      const unsigned = rootMetadata({
        version: up('root'),
        expiresAt: tufExpiryAt('root', lane.now),
        roles,
        marks: { [EXAMPLE_MARK]: true },
      });
      await put('root', unsigned, [...rootSigners.slice(0, 2), ...keys.root.slice(0, 2)]);
      rootSigners = [...keys.root];
    },
    async publish(content = 'one') {
      const targets = [describeTarget('policy/prod.json', utf8('{"kind":"policy"}')), describeTarget('trusted_root.json', utf8('{}'))];
      files.set(publishedTargetPath(targets[0]!), utf8('{"kind":"policy"}'));
      files.set(publishedTargetPath(targets[1]!), utf8('{}'));
      const stages = Object.entries(keys.stages).map(([stage, signer]) => ({ stage, keys: [signer.spki], threshold: 1 }));
      await put(
        'targets',
        targetsMetadata({ version: up('targets'), expiresAt: tufExpiryAt('targets', lane.now), targets, stages }),
        keys.targets,
      );
      for (const [stage, signer] of Object.entries(keys.stages)) {
        const channel = utf8(JSON.stringify({ stage, content }));
        files.set(publishedTargetPath(describeTarget(`channel/${stage}.json`, channel)), channel);
        await put(stage, stageMetadata({ stage, version: up(stage), expiresAt: tufExpiryAt('stage', lane.now), channel }), [signer]);
      }
      await lane.refresh();
    },
    async refresh() {
      const roles = ['targets', ...Object.keys(keys.stages)].map((role) => describeRole(role, current(role)));
      const previous = versions['snapshot'] === 0 ? {} : { previous: current('snapshot') };
      const snapshot = await put(
        'snapshot',
        snapshotMetadata({ version: up('snapshot'), expiresAt: tufExpiryAt('snapshot', lane.now), roles, ...previous }),
        [keys.snapshot],
      );
      const listed = describeRole('snapshot', snapshot);
      await put(
        'timestamp',
        timestampMetadata({ version: up('timestamp'), expiresAt: tufExpiryAt('timestamp', lane.now), snapshot: listed }),
        [keys.timestamp],
      );
    },
  };
  await lane.publishRoot();
  await lane.publish();
  return lane;
}
