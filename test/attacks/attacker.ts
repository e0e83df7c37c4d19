/**
 * What attackers can make who hold keys of a lane: statements in its log, waybills, channels, metadata. Everything is built with the product's own
 * builders over copies of a real lane, so what a site refuses is the lie and not a clumsy forgery.
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type Digest,
  digestHex,
  type Envelope,
  envelopePayload,
  type JsonObject,
  keyIdOf,
  logId,
  parseCheckpoint,
  parseStatement,
  parseVkey,
  PREDICATE,
  type Signed,
  type Signer,
  signStatement,
  sha256,
} from '@sealane/core';
import { ed25519NoteSigner, type Ledger, openLedger, requestCosignature } from '@sealane/ledger';
import {
  type Channel,
  describeRole,
  describeTarget,
  encodeBundle,
  encodeChannel,
  encodeWaybill,
  parseChannel,
  parsePolicy,
  policyDigest,
  publishedMetadataPath,
  publishedTargetPath,
  signMetadata,
  snapshotMetadata,
  stageMetadata,
  timestampMetadata,
  tufExpiryAt,
} from '@sealane/trust';
import type { TestLane } from '../support/lane.js';
import { ROOT } from '../support/run.js';

/** The time as documents say it. */
export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

function examplePem(name: string): Buffer {
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

/** Somebody with the lane's log at hand: what is logged here is really in the log, and its witness really cosigns it. */
export interface LogHolder {
  readonly policyDigest: Digest;
  /** Logs payloads, each signed by the example key of that name; returns their indexes. */
  log(...payloads: readonly (readonly [payload: Uint8Array, key: string])[]): Promise<readonly number[]>;
  /** Logs what somebody signed in his own way, as `log` does. */
  append(signed: Signed): Promise<number>;
  /** Index of the entries about a release, by predicate type, oldest first. */
  about(release: Digest, predicateType?: string): Promise<readonly number[]>;
  size(): Promise<number>;
  digestOf(index: number): Promise<Digest>;
  /** An entry as it was logged: envelope and key. */
  entry(index: number): Promise<{ readonly envelope: Envelope; readonly spki: Uint8Array }>;
  bundle(index: number): Promise<JsonObject>;
  /**
   * Publishes a waybill of these entries in a copy of the lane and points prod at it.
   *
   * `bend` may change the bundles and the waybill's fields before they are encoded.
   */
  publish(copy: LaneCopy, waybill: ForgedWaybill): Promise<void>;
  close(): Promise<void>;
}

export interface ForgedWaybill {
  readonly release: Digest;
  readonly decision: number;
  readonly entries: readonly number[];
  readonly counter: number;
  readonly bend?: (bundles: JsonObject[]) => JsonObject[];
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Opens the lane's own ledger with its log key, and its witness. */
export async function holdLog(lane: TestLane): Promise<LogHolder> {
  const published = new LaneCopy(lane.lane);
  const policyBytes = published.target('targets', 'policy/prod.json');
  const witnessVkey = parsePolicy(policyBytes).witnesses[0] ?? '';
  const ledger = await openLedger({
    file: path.join(lane.home, 'ledger', 'ledger.sqlite'),
    origin: lane.origin,
    logSigner: ed25519NoteSigner(lane.origin, createPrivateKey(examplePem('log'))),
    now,
  });
  const holder: LogHolder = {
    policyDigest: policyDigest(policyBytes),
    async log(...payloads) {
      const results = [];
      for (const [payload, key] of payloads) {
        const signer = exampleSigner(key);
        const [appended] = await ledger.append([await signStatement(payload, signer)]);
        results.push(appended?.index ?? -1);
      }
      await cosign(ledger, witnessVkey, lane.witness.url);
      return results;
    },
    async append(signed) {
      const [appended] = await ledger.append([signed]);
      await cosign(ledger, witnessVkey, lane.witness.url);
      return appended?.index ?? -1;
    },
    async about(release, predicateType) {
      return (await ledger.statementsAbout(release, predicateType)).map(({ index }) => index);
    },
    size: () => ledger.size(),
    digestOf: async (index) => (await ledger.entry(index)).statementDigest,
    entry: (index) => ledger.entry(index),
    bundle: (index) => bundleOf(ledger, index),
    async publish(copy, { release, decision, entries, counter, bend = (bundles) => bundles, fields = {} }) {
      const bundles = await Promise.all([...new Set([...entries, decision])].sort((a, b) => a - b).map((index) => bundleOf(ledger, index)));
      const blobs = bundles.flatMap((bundle) => blobsOf(copy, bundle));
      const digest = await holder.digestOf(decision);
      const waybill = {
        apiVersion: 'sealane/v1',
        kind: 'Waybill',
        release,
        stage: 'prod',
        decision: digest,
        bundles: bend(bundles),
        blobs,
        ...fields,
      } as const;
      const bytes = encodeWaybill(waybill);
      const choice = { release, waybill: copy.blob(bytes), length: bytes.length, counter };
      await ledger.publishTiles(async (files) => {
        for (const [name, content] of files) await copy.writeLater(`log/${name}`, content);
      });
      await copy.setChannel({ ...copy.channel(), groups: [{ name: 'all', match: {}, ...choice }] });
    },
    close: () => ledger.close(),
  };
  return holder;
}

async function cosign(ledger: Ledger, witnessVkey: string, url: string): Promise<void> {
  const note = await ledger.checkpointNote();
  const latest = await ledger.latestCosigned();
  const line = await requestCosignature({
    witness: { vkey: parseVkey(witnessVkey), url },
    note,
    size: parseCheckpoint(note).size,
    believedSize: latest === null ? 0 : parseCheckpoint(latest).size,
    consistencyProof: (size1, size2) => ledger.consistencyProof(size1, size2),
    post: async (address, body, signal) => {
      const response = await fetch(address, { method: 'POST', body, signal });
      return { status: response.status, body: await response.text() };
    },
    signal: AbortSignal.timeout(10_000),
  });
  await ledger.saveCosigned(note + line);
}

async function bundleOf(ledger: Ledger, index: number): Promise<JsonObject> {
  const entry = await ledger.entry(index);
  const note = (await ledger.firstCosignedCovering(index)) ?? '';
  const checkpoint = parseCheckpoint(note);
  const hashes = await ledger.inclusionProof(index, checkpoint.size);
  return encodeBundle({
    ...entry,
    proof: {
      logIndex: index,
      treeSize: checkpoint.size,
      rootHash: checkpoint.root,
      hashes,
      checkpoint: note,
      logId: logId(parseVkey(ledger.vkey)),
    },
  });
}

/** The reports and inventories that a bundle's statement names, as far as the lane has them. */
function blobsOf(copy: LaneCopy, bundle: JsonObject): { digest: Digest; size: number; mediaType: string }[] {
  const { payload } = bundle['dsseEnvelope'] as { payload: string };
  const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
    predicate: { configuration?: { digest: { sha256: string }; mediaType?: string }[] };
  };
  return (predicate.configuration ?? []).flatMap(({ digest: { sha256: hex }, mediaType = 'application/octet-stream' }) => {
    try {
      return [{ digest: `sha256:${hex}` as Digest, size: copy.read(`content/blobs/sha256/${hex}`).length, mediaType }];
    } catch {
      // a configuration entry such as the suite's name has no blob
      return [];
    }
  });
}

/** The statement in a bundle, as JSON. */
export function statementIn(bundle: JsonObject): ReturnType<typeof parseStatement> {
  return parseStatement(envelopePayload(bundle['dsseEnvelope'] as unknown as Parameters<typeof envelopePayload>[0]));
}

const KINDS: readonly string[] = [PREDICATE.provenance, PREDICATE.testResult];

/** Provenance and test results about a release. */
export async function evidenceOf(log: LogHolder, release: Digest): Promise<readonly number[]> {
  const lists = await Promise.all(KINDS.map((kind) => log.about(release, kind)));
  return lists.flat().sort((a, b) => a - b);
}

/** Everything that an honest waybill of prod would hold about a release, but for prod's decision and approvals. */
export async function honestEntries(log: LogHolder, release: Digest): Promise<readonly number[]> {
  const lists = await Promise.all([PREDICATE.release, PREDICATE.decision].map((kind) => log.about(release, kind)));
  return [...lists.flat(), ...(await evidenceOf(log, release))].sort((a, b) => a - b);
}
