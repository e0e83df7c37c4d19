/**
 * What attackers can make who hold keys of a lane: channels, metadata, and (`log-holder.ts`) statements in its log and waybills. Everything is built with the
 * product's own builders over copies of a real lane, so what a site refuses is the lie and not a clumsy forgery.
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Digest, digestHex, keyIdOf, type Signer, sha256 } from '@sealane/core';
import {
  type Channel,
  describeRole,
  describeTarget,
  encodeChannel,
  parseChannel,
  publishedMetadataPath,
  publishedTargetPath,
  signMetadata,
  snapshotMetadata,
  stageMetadata,
  timestampMetadata,
  tufExpiryAt,
} from '@sealane/trust';
import { ROOT } from '../support/run.js';

/** The time as documents say it. */
export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/** An example key, by name. */
export function examplePem(name: string): Buffer {
  return readFileSync(path.join(ROOT, 'keys-example', `${name}.pem`));
}

/** A signer over one of the example keys, by name. */
export function exampleSigner(name: string): Signer {
  const key = createPrivateKey(examplePem(name));
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  return { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, key))) };
}

/** A copy of a published lane, to be bent. */
export class LaneCopy {
  /** Versions that a site has seen of each role, which the next one goes beyond. */
  private seen: Readonly<Record<string, number>> = {};

  constructor(readonly dir: string) {}

  static of(lane: string, dir: string): LaneCopy {
    cpSync(lane, dir, { recursive: true, verbatimSymlinks: true });
    return new LaneCopy(dir);
  }

  /** What another lane has now, in this place. */
  replaceBy(lane: string): void {
    rmSync(this.dir, { recursive: true });
    cpSync(lane, this.dir, { recursive: true, verbatimSymlinks: true });
  }

  file(name: string): string {
    return path.join(this.dir, name);
  }

  read(name: string): Uint8Array {
    return new Uint8Array(readFileSync(this.file(name)));
  }

  write(name: string, bytes: Uint8Array | string): void {
    mkdirSync(path.dirname(this.file(name)), { recursive: true });
    writeFileSync(this.file(name), bytes);
  }

  /** As `write`, for those who wait for it. */
  writeLater(name: string, bytes: Uint8Array): Promise<void> {
    this.write(name, bytes);
    return Promise.resolve();
  }

  /** Current version of a role, as snapshot and timestamp say. */
  version(role: string): number {
    const listed = (name: string): Record<string, { version: number }> => this.signed(name)['meta'] as Record<string, { version: number }>;
    const timestamp = 'metadata/timestamp.json';
    if (role === 'timestamp') return this.signed(timestamp)['version'] as number;
    const snapshot = listed(timestamp)['snapshot.json']?.version ?? 0;
    if (role === 'snapshot') return snapshot;
    return listed(publishedMetadataPath('snapshot', snapshot))[`${role}.json`]?.version ?? 0;
  }

  private next(role: string): number {
    return Math.max(this.version(role), this.seen[role] ?? 0) + 1;
  }

  /** From here on roles are published in versions that a site with this `trust.json` takes for new. */
  goOnFrom({ body }: { readonly body: { readonly tuf: { readonly versions: SeenVersions } } }): void {
    const { roles, ...others } = body.tuf.versions;
    this.seen = { ...others, ...roles };
  }

  /** Bytes of a role's current metadata. */
  role(role: string): Uint8Array {
    return this.read(`trust/${publishedMetadataPath(role, this.version(role))}`);
  }

  signed(metadata: string): Record<string, unknown> {
    return (JSON.parse(readFileSync(this.file(`trust/${metadata}`), 'utf8')) as { signed: Record<string, unknown> }).signed;
  }

  /** Bytes of a target that a role's current metadata lists. */
  target(role: string, name: string): Uint8Array {
    return this.read(`trust/${this.targetPath(role, name)}`);
  }

  targetPath(role: string, name: string): string {
    const targets = this.signed(publishedMetadataPath(role, this.version(role)))['targets'] as Record<
      string,
      { length: number; hashes: { sha256: string } }
    >;
    const found = targets[name];
    if (found === undefined) throw new Error(`look up ${name} in ${role}: not listed`);
    return publishedTargetPath({ path: name, lengthBytes: found.length, sha256Hex: found.hashes.sha256 });
  }

  channel(stage = 'prod'): Channel {
    return parseChannel(this.target(stage, `channel/${stage}.json`));
  }

  /** Puts a blob into `content/`. */
  blob(bytes: Uint8Array): Digest {
    const digest = sha256(bytes);
    this.write(`content/blobs/sha256/${digestHex(digest)}`, bytes);
    return digest;
  }

  /** Publishes prod's channel as the stage's key would. */
  async setChannel(channel: Channel, options: RepublishOptions = {}): Promise<void> {
    await this.setChannelBytes(encodeChannel(channel), options);
  }

  /** As `setChannel`, for bytes that no honest stage would sign. */
  async setChannelBytes(channel: Uint8Array, options: RepublishOptions = {}): Promise<void> {
    this.write(`trust/${publishedTargetPath(describeTarget('channel/prod.json', channel))}`, channel);
    const unsigned = stageMetadata({
      stage: 'prod',
      version: this.next('prod'),
      expiresAt: options.stageExpiresAt ?? tufExpiryAt('stage', now()),
      channel,
    });
    await this.setRole('prod', await signMetadata(unsigned, [exampleSigner(options.stageSigner ?? 'prod')]), options);
  }

  /** Publishes signed metadata of a role below the snapshot, and snapshot and timestamp over it. */
  async setRole(role: string, bytes: Uint8Array, options: RepublishOptions = {}): Promise<void> {
    const listed = describeRole(role, bytes);
    this.write(`trust/${publishedMetadataPath(role, listed.version)}`, bytes);
    await this.refresh(options, [listed]);
  }

  /** Signs snapshot and timestamp anew. */
  async refresh(options: RepublishOptions = {}, roles: readonly ReturnType<typeof describeRole>[] = []): Promise<void> {
    const version = this.next('snapshot');
    const previous = this.role('snapshot');
    const unsigned = snapshotMetadata({ version, expiresAt: tufExpiryAt('snapshot', now()), roles, previous });
    const snapshot = await signMetadata(unsigned, [exampleSigner(options.snapshotSigner ?? 'snapshot')]);
    this.write(`trust/${publishedMetadataPath('snapshot', version)}`, snapshot);
    const timestamp = timestampMetadata({
      version: this.next('timestamp'),
      expiresAt: options.timestampExpiresAt ?? tufExpiryAt('timestamp', now()),
      snapshot: describeRole('snapshot', snapshot),
    });
    this.write('trust/metadata/timestamp.json', await signMetadata(timestamp, [exampleSigner(options.timestampSigner ?? 'timestamp')]));
  }
}

/** Versions that a site trusts. */
interface SeenVersions {
  readonly timestamp: number;
  readonly snapshot: number;
  readonly roles: Readonly<Record<string, number>>;
}

/** Who signs, and until when, where it is not as it should be. */
export interface RepublishOptions {
  readonly stageSigner?: string;
  readonly snapshotSigner?: string;
  readonly timestampSigner?: string;
  readonly stageExpiresAt?: string;
  readonly timestampExpiresAt?: string;
}
