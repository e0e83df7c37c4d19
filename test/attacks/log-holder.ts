/** Somebody who holds a lane's log: what is logged here is really in the log, and the lane's witness really cosigns it. */
import { createPrivateKey } from 'node:crypto';
import path from 'node:path';
import {
  type Digest,
  type Envelope,
  envelopePayload,
  type JsonObject,
  logId,
  parseCheckpoint,
  parseStatement,
  parseVkey,
  PREDICATE,
  type Signed,
  signStatement,
} from '@sealane/core';
import { ed25519NoteSigner, type Ledger, openLedger, requestCosignature } from '@sealane/ledger';
import { encodeBundle, encodeWaybill, parsePolicy, policyDigest } from '@sealane/trust';
import type { TestLane } from '../support/lane.js';
import { examplePem, exampleSigner, LaneCopy, now } from './attacker.js';

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
