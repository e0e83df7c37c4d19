/** The `trust/` of a lane in memory, written by the product's own publisher; `forge` bends a role's metadata before its true key signs it. */
import { canonicalJson, fromUtf8, type JsonObject } from '@sealane/core';
import { describeRole, publishedMetadataPath } from '../tuf/published-role.js';
import {
  describeTarget,
  publishedTargetPath,
  type RoleKeys,
  rootMetadata,
  snapshotMetadata,
  stageMetadata,
  targetsMetadata,
  timestampMetadata,
  tufExpiryAt,
} from '../tuf/publisher.js';
import { signMetadata } from '../tuf/signing.js';
import { type TestSigner, testSigner } from './test-keys.js';

/** What a publication says: the owners' targets and each stage's channel, by their bytes. */
export interface LaneTrustContent {
  readonly now: string;
  readonly targets: Readonly<Record<string, Uint8Array>>;
  readonly channels: Readonly<Record<string, Uint8Array>>;
  /** Edits of `signed` by role, before it is signed. */
  readonly forge?: Readonly<Record<string, (signed: JsonObject) => JsonObject>>;
}

/** Made once a run, as the people of a lane are. */
const ROOT = [testSigner(), testSigner(), testSigner()];
const TARGETS = [testSigner(), testSigner()];
const ONLINE = { snapshot: testSigner(), timestamp: testSigner() };

/** Keys can be replaced between two publications; `files` maps paths below `trust/` to bytes. */
export class LaneTrust {
  readonly files = new Map<string, Uint8Array>();
  readonly versions: Record<string, number> = {};
  root = ROOT;
  targets = TARGETS;
  snapshot = ONLINE.snapshot;
  timestamp = ONLINE.timestamp;
  #previousRoot: TestSigner[] = [];

  constructor(public stages: Record<string, TestSigner>) {}

  /** Publishes the next root, signed by the keys before and by the present ones. */
  async publishRoot(now: string, marks: JsonObject = {}): Promise<Uint8Array> {
    const roles = {
      root: keysOf(this.root, 2),
      targets: keysOf(this.targets, 2),
      snapshot: keysOf([this.snapshot], 1),
      timestamp: keysOf([this.timestamp], 1),
    };
    const unsigned = rootMetadata({ version: this.#next('root'), expiresAt: tufExpiryAt('root', now), roles, marks });
    const signed = await this.#put('root', unsigned, [...this.#previousRoot.slice(0, 2), ...this.root.slice(0, 2)], {});
    this.#previousRoot = [...this.root];
    return signed;
  }

  /** Publishes targets, every stage, snapshot and timestamp, each one version up. */
  async publish({ now, targets, channels, forge = {} }: LaneTrustContent): Promise<void> {
    const described = Object.entries(targets).map(([path, bytes]) => this.#target(path, bytes));
    const stages = Object.entries(this.stages).map(([stage, signer]) => ({ stage, ...keysOf([signer], 1) }));
    await this.#put('targets', targetsMetadata({ ...this.#term('targets', now), targets: described, stages }), this.targets, forge);
    for (const [stage, signer] of Object.entries(this.stages)) {
      const channel = channels[stage] ?? canonicalJson({ stage });
      this.#target(`channel/${stage}.json`, channel);
      const unsigned = stageMetadata({ stage, version: this.#next(stage), expiresAt: tufExpiryAt('stage', now), channel });
      await this.#put(stage, unsigned, [signer], forge);
    }
    const roles = ['targets', ...Object.keys(this.stages)].map((role) => describeRole(role, this.#current(role)));
    const previous = this.versions.snapshot === undefined ? {} : { previous: this.#current('snapshot') };
    const snapshot = await this.#put(
      'snapshot',
      snapshotMetadata({ ...this.#term('snapshot', now), roles, ...previous }),
      [this.snapshot],
      forge,
    );
    const listed = describeRole('snapshot', snapshot);
    await this.#put('timestamp', timestampMetadata({ ...this.#term('timestamp', now), snapshot: listed }), [this.timestamp], forge);
  }

  #term(role: 'targets' | 'snapshot' | 'timestamp', now: string): { readonly version: number; readonly expiresAt: string } {
    return { version: this.#next(role), expiresAt: tufExpiryAt(role, now) };
  }

  #target(path: string, bytes: Uint8Array): ReturnType<typeof describeTarget> {
    const described = describeTarget(path, bytes);
    this.files.set(publishedTargetPath(described), bytes);
    return described;
  }

  #next(role: string): number {
    const version = (this.versions[role] ?? 0) + 1;
    this.versions[role] = version;
    return version;
  }

  #current(role: string): Uint8Array {
    const bytes = this.files.get(publishedMetadataPath(role, this.versions[role] ?? 0));
    if (bytes === undefined) throw new RangeError(`read ${role}: expected it to be published, got nothing`);
    return bytes;
  }

  async #put(
    role: string,
    unsigned: Uint8Array,
    signers: readonly TestSigner[],
    forge: NonNullable<LaneTrustContent['forge']>,
  ): Promise<Uint8Array> {
    const bend = forge[role] ?? ((same) => same);
    const { signed } = JSON.parse(fromUtf8(unsigned)) as { readonly signed: JsonObject };
    const bytes = await signMetadata(canonicalJson({ signatures: [], signed: bend(signed) }), signers);
    this.files.set(publishedMetadataPath(role, this.versions[role] ?? 0), bytes);
    return bytes;
  }
}

function keysOf(signers: readonly TestSigner[], threshold: number): RoleKeys {
  return { keys: signers.map(({ spki }) => spki), threshold };
}
