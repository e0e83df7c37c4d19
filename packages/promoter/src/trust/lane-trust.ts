/** The lane's trust as this host published it: policies, channels, versions. Read through the TUF client, as everybody reads it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Digest, type JsonObject, LIMITS, parseStrictJson, PromoterError } from '@sealane/core';
import { type Channel, EXAMPLE_MARK, parseChannel, parsePolicy, type Policy, policyDigest, readTarget, refreshTrust, trustFromRoot, type TrustedMetadata, type TufRead } from '@sealane/trust';
import { isNotFound, readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';

/** One stage as published. `version` and `expiresAt` are those of its TUF role. */
export interface StageTrust {
  readonly policy: Policy;
  readonly digest: Digest;
  readonly policyBytes: Uint8Array;
  readonly channel: Channel;
  readonly version: number;
  readonly expiresAt: string;
}

export interface LaneTrust {
  readonly metadata: TrustedMetadata;
  readonly stages: ReadonlyMap<string, StageTrust>;
  readonly trustedRoot: Uint8Array;
  readonly isExample: boolean;
}

/** A time before every expiry: who published the lane must be able to read it when it has gone stale, to refresh it. */
const BEFORE_ALL_EXPIRY = '1970-01-01T00:00:00Z';

/**
 * Reads the published trust of a lane.
 *
 * @throws PromoterError `CONFIG_INVALID` nothing is published; TrustError `TRUST_*` the files do not verify
 */
export function readLaneTrust(home: Pick<Home, 'trust'>, stages: readonly string[]): LaneTrust {
  const read = readBelow(home.trust);
  const first = read('metadata/1.root.json', LIMITS.rootBytes);
  if (first === undefined) throw new PromoterError('CONFIG_INVALID', `read the lane ${home.trust}: expected metadata/1.root.json, got nothing`, {}, { hint: 'make a lane with: sealane init DIR' });
  const metadata = refreshTrust({ state: trustFromRoot(first), read, now: BEFORE_ALL_EXPIRY, expiry: 'network' });
  const target = (file: string): { bytes: Uint8Array; version: number; expiresAt: string } => readTarget({ trusted: metadata, read, path: file });
  const entries = stages.filter((stage) => metadata.snapshot.roles.has(stage)).map((stage): [string, StageTrust] => {
    const policy = target(`policy/${stage}.json`).bytes;
    const channel = target(`channel/${stage}.json`);
    return [stage, { policy: parsePolicy(policy), digest: policyDigest(policy), policyBytes: policy, channel: parseChannel(channel.bytes), version: channel.version, expiresAt: roleExpiry(read, stage, channel.version) }];
  });
  return { metadata, stages: new Map(entries), trustedRoot: target('trusted_root.json').bytes, isExample: isExample(read, metadata.root.version) };
}

/** The expiry that the stage role's own metadata says. */
function roleExpiry(read: TufRead, stage: string, version: number): string {
  const bytes = read(`metadata/${version}.${stage}.json`, LIMITS.stageBytes);
  const expires = bytes === undefined ? undefined : signedPart(bytes)['expires'];
  return typeof expires === 'string' ? expires : '';
}

function isExample(read: TufRead, version: number): boolean {
  const root = read(`metadata/${version}.root.json`, LIMITS.rootBytes);
  return root !== undefined && signedPart(root)[EXAMPLE_MARK] === true;
}

function signedPart(bytes: Uint8Array): JsonObject {
  const document = parseStrictJson(bytes, { maxBytes: LIMITS.snapshotBytes, maxDepth: LIMITS.jsonDepth });
  const signed = typeof document === 'object' && document !== null && !Array.isArray(document) ? (document as JsonObject)['signed'] : undefined;
  return typeof signed === 'object' && signed !== null && !Array.isArray(signed) ? (signed as JsonObject) : {};
}

/** Reads files of a `trust/` folder. */
export function readBelow(folder: string): TufRead {
  return (name, maxBytes) => {
    try {
      const bytes = new Uint8Array(readFileSync(path.join(folder, name)));
      if (bytes.length > maxBytes) throw new PromoterError('TRUST_TOO_LARGE', `read ${name}: expected at most ${maxBytes} bytes, got ${bytes.length}`);
      return bytes;
    } catch (error) {
      // absent is an answer to the client
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
}

/** The signed file of a role as published, or undefined when there is none. */
export function publishedRole(home: Pick<Home, 'trust'>, fileName: string): Uint8Array | undefined {
  return readOptional(path.join(home.trust, 'metadata', fileName));
}
