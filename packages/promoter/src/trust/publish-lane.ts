/**
 * Publishing: changed channels, then snapshot, then timestamp, then the log's files. Each file is new or replaced whole; only the timestamp makes
 * the rest current, so a crash before it leaves the old lane.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fromUtf8, LIMITS, parseStrictJson, SealaneError, type Signer } from '@sealane/core';
import type { PublishLock } from '@sealane/ledger';
import {
  type Channel,
  describeRole,
  describeTarget,
  channelPath,
  encodeChannel,
  type ListedRole,
  publishedMetadataPath,
  publishedTargetPath,
  readListedRoles,
  signMetadata,
  snapshotMetadata,
  stageMetadata,
  timestampMetadata,
  tufExpiryAt,
} from '@sealane/trust';
import { reached } from '../crash-point.js';
import { durableWrite, durableWriteAll, listFolder, PUBLIC_FILE, readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';
import { type Promoter, stageSigner } from '../promoter.js';
import { signerById } from '../signers/key-store.js';
import { publishPayloads } from './publish-payloads.js';

/** What `publish` needs to know of a home: where it is, and the time. */
export interface PublishPlace {
  readonly home: Home;
  readonly now: () => string;
  /** A version that sites may have seen of what is signed here, where a backup was restored: they take none below it. */
  readonly above?: number;
}

/** And who signs above the stages. */
export interface PublishTop extends PublishPlace {
  /** The publish lock that it is done under, where there is one: `init` has no lane yet to share. */
  readonly lock?: PublishLock;
  readonly signer: (role: 'snapshot' | 'timestamp') => Promise<Signer>;
}

/** What goes with a publication. */
export interface Beside {
  /** Files of `content` that channels name, to be written. */
  readonly content: ReadonlyMap<string, Uint8Array>;
  /** Files of payloads that this process has on stable storage. */
  readonly written: ReadonlySet<string>;
  /** Told of a stage that cannot be signed for, which is left as it is published; without it nothing is published then. */
  readonly leave?: (stage: string, error: SealaneError) => void;
}

/** Nothing goes with it. */
export const NOTHING_BESIDE: Beside = { content: new Map(), written: new Set() };

/** Publishes the given channels, one for each stage that changed, and everything above them; before them the log, with what they name. */
export async function publishLane(
  promoter: Promoter & Pick<PublishPlace, 'above'>,
  channels: ReadonlyMap<string, Channel>,
  beside: Beside = NOTHING_BESIDE,
): Promise<void> {
  await publishLogFiles(promoter, beside);
  reached('publish:log-written');
  // on shared storage a holder that was passed over must leave the files of the next one alone
  await promoter.lock?.expectHeld();
  const stages: SignedStage[] = [];
  for (const [stage, channel] of channels) {
    try {
      stages.push(await signStage(promoter, stage, channel, await stageSigner(promoter, stage)));
    } catch (error) {
      if (!(error instanceof SealaneError) || beside.leave === undefined) throw error;
      beside.leave(stage, error);
    }
  }
  await publishTop(
    {
      ...placeOf(promoter),
      signer: (role) => signerById(promoter.keyPlace, promoter.lane.topKeyIds(role), role),
      ...(promoter.lock === undefined ? {} : { lock: promoter.lock }),
    },
    stages.map(({ role }) => role),
    stages.flatMap(({ files }) => [...files]),
  );
}

function placeOf({ home, now, above }: PublishPlace): PublishPlace {
  return { home, now, ...(above === undefined ? {} : { above }) };
}

/** A stage that was signed anew: its role as the snapshot lists it, and the files that are to be there before any snapshot does. */
interface SignedStage {
  readonly role: ListedRole;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Signs and writes a stage's channel and role; returns the role as the snapshot lists it. */
export async function publishStage(place: PublishPlace, stage: string, channel: Channel, signer: Signer): Promise<ListedRole> {
  const { role, files } = await signStage(place, stage, channel, signer);
  await durableWriteAll(files, PUBLIC_FILE);
  return role;
}

async function signStage({ home, now, above }: PublishPlace, stage: string, channel: Channel, signer: Signer): Promise<SignedStage> {
  const bytes = encodeChannel(channel);
  const version = nextVersion(home, stage, above);
  const signed = await signMetadata(stageMetadata({ version, expiresAt: tufExpiryAt('stage', now()), stage, channel: bytes }), [signer]);
  const files = new Map([
    [path.join(home.trust, publishedTargetPath(describeTarget(channelPath(stage), bytes))), bytes],
    [path.join(home.trust, publishedMetadataPath(stage, version)), signed],
  ]);
  return { role: describeRole(stage, signed), files };
}

/** The channel of a stage in which nothing has been released. */
export function emptyChannel(lane: string, stage: string, issuedAt: string): Channel {
  return {
    apiVersion: 'sealane/v1',
    kind: 'Channel',
    lane,
    stage,
    issuedAt,
    groups: [],
    rollback: [],
    held: [],
    fenced: [],
    revoked: [],
    floor: null,
  };
}

/** Signs and writes snapshot and timestamp over the roles given and those of the snapshot before; `files` of these roles are written with the snapshot. */
export async function publishTop(
  place: PublishTop,
  roles: readonly ListedRole[],
  files: Iterable<readonly [string, Uint8Array]> = [],
): Promise<void> {
  const { home, now, signer, lock, above } = place;
  const current = currentSnapshot(home);
  const version = nextVersion(home, 'snapshot', above);
  const previous = current === undefined ? {} : { previous: current };
  const snapshot = await signMetadata(snapshotMetadata({ version, expiresAt: tufExpiryAt('snapshot', now()), roles, ...previous }), [
    await signer('snapshot'),
  ]);
  // none of them is current before the timestamp says so
  await durableWriteAll(new Map([...files, [path.join(home.trust, publishedMetadataPath('snapshot', version)), snapshot]]), PUBLIC_FILE);
  reached('publish:snapshot-written');
  const timestampVersion = Math.max(timestampVersionOf(home), above ?? 0) + 1;
  const timestamp = timestampMetadata({
    version: timestampVersion,
    expiresAt: tufExpiryAt('timestamp', now()),
    snapshot: describeRole('snapshot', snapshot),
  });
  const signed = await signMetadata(timestamp, [await signer('timestamp')]);
  await lock?.expectHeld();
  await durableWriteAll(new Map([[path.join(home.trust, publishedMetadataPath('timestamp', timestampVersion)), signed]]), PUBLIC_FILE);
  reached('publish:timestamp-written');
}

/** Writes what was signed, and the log's static files, up to its latest cosigned checkpoint; `content` with the first of them. */
export async function publishLogFiles(
  { ledger, home }: Pick<Promoter, 'ledger' | 'home'>,
  { content, written }: Beside = NOTHING_BESIDE,
): Promise<void> {
  const first = new Map([...content, ...(await publishPayloads({ ledger, home }, written))]);
  const published = readOptional(path.join(home.log, 'checkpoint'));
  const write = async (files: ReadonlyMap<string, Uint8Array>): Promise<void> => {
    const log = [...files].map(([file, bytes]) => [path.join(home.log, file), bytes] as const);
    await durableWriteAll(new Map([...first, ...log]), PUBLIC_FILE);
    first.clear();
  };
  await ledger.publishTiles(write, published === undefined ? undefined : fromUtf8(published));
  // a log that no witness has seen has no files yet
  if (first.size > 0) await durableWriteAll(first, PUBLIC_FILE);
}

/** The snapshot that the timestamp names; one written before a crash, that no timestamp named, is not current. */
function currentSnapshot(home: Pick<Home, 'trust'>): Uint8Array | undefined {
  const version = listedSnapshotVersion(home);
  return version === undefined ? undefined : readOptional(path.join(home.trust, publishedMetadataPath('snapshot', version)));
}

function listedSnapshotVersion(home: Pick<Home, 'trust'>): number | undefined {
  const version = signedValue(home, 'meta', 'snapshot.json', 'version');
  return typeof version === 'number' ? version : undefined;
}

/** The version of a lane's timestamp; 0 where there is none. */
function timestampVersionOf(home: Pick<Home, 'trust'>): number {
  const version = signedValue(home, 'version');
  return typeof version === 'number' ? version : 0;
}

/** The highest version that the lane's timestamp says, of itself or of its snapshot: what was written before a crash makes that one run ahead. */
export function newestVersionOf(home: Pick<Home, 'trust'>): number {
  return Math.max(timestampVersionOf(home), listedSnapshotVersion(home) ?? 0);
}

function signedValue(home: Pick<Home, 'trust'>, ...keys: readonly string[]): unknown {
  const bytes = readOptional(path.join(home.trust, 'metadata', 'timestamp.json'));
  if (bytes === undefined) return undefined;
  const document: unknown = parseStrictJson(bytes, { maxBytes: LIMITS.timestampBytes, maxDepth: LIMITS.jsonDepth });
  return ['signed', ...keys].reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
    document,
  );
}

/**
 * One above the version that is current, and above what lies beyond it, left by a crash: a version is never used for two contents. And above what sites may have
 * seen. A lane has as many old versions as it was published times, so they are not listed.
 */
function nextVersion(home: Pick<Home, 'trust'>, role: string, above = 0): number {
  let version = 1 + Math.max(above, currentVersion(home, role) ?? newestOnDisk(home, role));
  while (existsSync(path.join(home.trust, publishedMetadataPath(role, version)))) version += 1;
  return version;
}

/** Undefined for a role that no snapshot lists: one that is new, or was taken out once. */
function currentVersion(home: Pick<Home, 'trust'>, role: string): number | undefined {
  if (role === 'snapshot') return listedSnapshotVersion(home);
  const snapshot = currentSnapshot(home);
  return snapshot === undefined ? undefined : readListedRoles(snapshot).find((listed) => listed.role === role)?.version;
}

function newestOnDisk(home: Pick<Home, 'trust'>, role: string): number {
  const versions = listFolder(path.join(home.trust, 'metadata')).flatMap((name) => {
    const [, version] = new RegExp(`^([1-9]\\d*)\\.${role.replace(/[.]/g, '\\.')}\\.json$`).exec(name) ?? [];
    return version === undefined ? [] : [Number(version)];
  });
  return Math.max(0, ...versions);
}

/** Writes a target of the owners, such as a policy, and returns its description for targets metadata. */
export function writeTarget(home: Pick<Home, 'trust'>, file: string, bytes: Uint8Array): ReturnType<typeof describeTarget> {
  const target = describeTarget(file, bytes);
  durableWrite(path.join(home.trust, publishedTargetPath(target)), bytes, PUBLIC_FILE);
  return target;
}
