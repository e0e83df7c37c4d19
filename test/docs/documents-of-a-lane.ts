/** Every kind of document that a real lane and a real site write, by format: what the pages and schemas are held to. */
import { createReadStream, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { canonicalJson, fromBase64, type JsonObject, parseCheckpoint, PREDICATE, sha256 } from '@sealane/core';
import { DEFAULT_UNPACK_LIMITS, readTar, RELEASE_ARTIFACT_TYPE } from '@sealane/oci';
import { parse as parseYaml } from 'yaml';
import { writeMachine } from '../support/hardware.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { databaseJson } from '../support/postgres.js';
import { filesInTar } from '../support/read-tar.js';
import { expectJson, runJson } from '../support/run.js';
import { serviceYaml } from '../support/service.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { makeAuthority } from '../support/site-ca.js';
import { codeBelow, pageText } from './pages.js';
import { askRaw, startFetch } from '../support/two-processes.js';

/** Documents as their exact bytes, by name of their format. */
type Documents = ReadonlyMap<string, readonly Uint8Array[]>;

const STATEMENTS: Readonly<Record<string, string>> = {
  [PREDICATE.anchor]: 'anchor',
  [PREDICATE.approval]: 'approval',
  [PREDICATE.carriedBundle]: 'carried-bundle',
  [PREDICATE.decision]: 'decision',
  [PREDICATE.erasure]: 'erasure',
  [PREDICATE.exception]: 'exception',
  [PREDICATE.exceptionRequest]: 'exception-request',
  [PREDICATE.review]: 'review',
  [PREDICATE.order]: 'order',
  [PREDICATE.recall]: 'recall',
  [PREDICATE.receipt]: 'receipt',
  [PREDICATE.rig]: 'rig',
  [PREDICATE.rigRebuild]: 'rig-rebuild',
  [PREDICATE.release]: 'release',
  [PREDICATE.root]: 'root',
  [PREDICATE.retirement]: 'retirement',
  [PREDICATE.delegation]: 'delegation',
  [PREDICATE.revocation]: 'revocation',
  [PREDICATE.secret]: 'secret',
  [PREDICATE.siteCertificate]: 'site-certificate',
  [PREDICATE.siteRecord]: 'site-record',
  [PREDICATE.testResult]: 'test-result',
};

/** A lane with two releases, one of them revoked, a refusal, a waiver with its review, an anchor, a second root, an open proposal, a medium, and a site that installed. */
export interface BusyLane {
  readonly lane: TestLane;
  readonly site: TestSite;
  /** The exported medium. */
  readonly medium: string;
  readonly documents: Documents;
}

/** The shape of a keyless bundle: it is taken in as it is, and nothing in it is true. */
const KEYLESS = {
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: {
    certificate: { rawBytes: 'AAAA' },
    tlogEntries: [
      {
        logIndex: '1',
        logId: { keyId: 'AAAA' },
        kindVersion: { kind: 'dsse', version: '0.0.1' },
        integratedTime: '1',
        inclusionProof: { logIndex: '1', rootHash: 'AAAA', treeSize: '2', hashes: ['AAAA'], checkpoint: { envelope: 'x' } },
        canonicalizedBody: 'AAAA',
      },
    ],
  },
  dsseEnvelope: { payload: 'AAAA', payloadType: 'application/vnd.in-toto+json', signatures: [{ sig: 'AAAA' }] },
};

/** Makes one in `dir`, with the real commands. The caller stops both. */
export async function makeBusyLane(dir: string): Promise<BusyLane> {
  const lane = await makeLane(dir);
  const topology = path.join(dir, 'topology.yaml');
  writeFileSync(topology, TOPOLOGY);
  const first = await lane.release('1.0.0');
  await lane.sealane(['promote', first, '--to', 'dev'], 3);
  const words = ['evidence', 'add', first, '--tests', path.join(dir, 'junit.xml'), '--hardware', lane.hardware, '--topology', topology];
  const documents = Object.entries(runDocuments(first)).flatMap(([kind, document]) => {
    writeFileSync(path.join(dir, `${kind}.json`), JSON.stringify(document));
    return [`--${kind}`, path.join(dir, `${kind}.json`)];
  });
  await lane.sealane([...words, ...documents, '--key', 'lab']);
  const keyless = path.join(dir, 'keyless.json');
  writeFileSync(keyless, JSON.stringify(KEYLESS));
  await lane.sealane(['evidence', 'add', first, '--bundle', keyless, '--key', 'builder']);
  await lane.promote(first);
  const second = await lane.release('1.1.0');
  await lane.promote(second, 'dev');
  const report = path.join(dir, 'junit-2.xml');
  writeFileSync(report, readFileSync(path.join(dir, 'junit.xml'), 'utf8').replace('readings', 'readings by Carol'));
  await lane.sealane(['evidence', 'add', second, '--tests', report, '--key', 'lab']);
  const digest = sha256(new Uint8Array(readFileSync(report)));
  await lane.sealane(['erase', digest, '--reason', 'names a colleague', '--key', 'registrar']);
  const waiver = ['exception', 'create', '--release', second, '--to', 'prod', '--gate', 'hardware', '--key', 'alice', '--reason', 'outage'];
  const [{ digest: granted }] = (await lane.sealane(waiver)).statements;
  await lane.sealane(['exception', 'review', granted, '--key', 'bob', '--reason', 'the outage was real']);
  await lane.sealane(['revoke', second, '--reason', 'fails in the field']);
  await lane.sealane(['channel', 'hold', 'prod', '--reason', 'freeze of the season']);
  await lane.sealane(['channel', 'unhold', 'prod']);
  await lane.sealane(['freeze', 'dev', '--reason', 'year-end']);
  const [carried, { witnesses }] = [path.join(dir, 'carried'), parseYaml(readFileSync(path.join(lane.home, 'pipeline.yaml'), 'utf8'))];
  await lane.sealane(['evidence', 'export', first, '--out', carried]);
  const logVkey = readFileSync(path.join(lane.home, 'log.vkey'), 'utf8').trim();
  await lane.sealane(['log', 'anchor', carried, '--log', logVkey, '--witness', witnesses[0].vkey]);
  await rigLife(lane, path.join(dir, 'rig'));
  const site = await enrolSite(lane, path.join(dir, 'site'));
  writeFileSync(path.join(dir, 'password.txt'), 'one that nobody uses');
  const value = ['--value', path.join(dir, 'password.txt'), '--key', 'alice'];
  await lane.sealane(['secret', 'set', 'db-password', '--site', site.name, ...value]);
  await site.must(['update']);
  await makeAuthority(lane, path.join(dir, 'owners'));
  await site.must(['certificate', 'request', '--out', path.join(site.dir, 'certificate-request.json')]);
  await lane.sealane(['site', 'certify', path.join(site.dir, 'certificate-request.json')]);
  const wish = ['--kind', 'stale', '--release', first, '--reason', 'the link is down'];
  const request = path.join(site.dir, 'request-of-exception.json');
  await site.must(['exception', 'request', ...wish, '--out', request]);
  const grant = await lane.sealane(['exception', 'create', '--request', request, '--key', 'alice', '--reason', 'let it in']);
  await lane.sealane(['exception', 'send', grant.statements[0].digest]);
  await expectJson('sealane', ['key', 'create', 'town', '--home', path.join(dir, 'there')]);
  const delegate = ['--to', path.join(dir, 'there', 'keys', 'town.pem'), '--reason', 'the winter', '--key', 'registrar'];
  await lane.sealane(['site', 'delegate', '--site', site.name, ...delegate, '--out', path.join(dir, 'delegation.json')]);
  await enrolSite(lane, path.join(dir, 'closed'), { name: 'quay-1' });
  await lane.sealane(['site', 'retire', 'quay-1', '--reason', 'the quay is closed', '--key', 'registrar']);
  await lane.sealane(['trust', 'propose', '--renew'], 5);
  for (const owner of ['root-1', 'root-2', 'targets-1', 'targets-2'])
    await lane.sealane(['trust', 'sign', path.join(lane.home, 'proposal.json'), '--key', owner]);
  await lane.sealane(['trust', 'publish']);
  await lane.sealane(['trust', 'propose', '--renew'], 5);
  const medium = path.join(dir, 'medium');
  await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
  return { lane, site, medium, documents: await collect(lane, site) };
}

const TOPOLOGY = `apiVersion: sealane/v1
kind: Topology
zones: [cell]
nodes: [{ role: gateway, tier: edge, zone: cell, storage: ssd }]
flows: []
ingress: []
services: []
uplinks: [{ name: lte, zone: cell, kind: lte }]
`;

/** A document of each other kind that a run can have. */
function runDocuments(release: string): Readonly<Record<string, object>> {
  const head = (kind: string): object => ({ apiVersion: 'sealane/v1', kind });
  const measured = { jitterMs: 2.5, lossPercent: 0.1, retransmitPercent: 0, failoverMs: null, latencyMs: { p50: 20, p95: 40, p99: 80 } };
  return {
    fidelity: { ...head('Fidelity'), dependencies: [{ name: 'plc', rung: 'hardware', data: 'real' }] },
    conditions: { ...head('Conditions'), profiles: [{ profile: 'lte', samples: 100, ...measured }] },
    rehearsal: {
      ...head('Rehearsal'),
      stage: 'edge-preprod',
      site: 'bench-1',
      rollbacks: [{ to: release, seconds: 12.5, at: '2026-11-24T10:00:00Z', receipts: [] }],
    },
  };
}

/** A rig that is enrolled, rebuilt and revoked, and recalls of a class and of a unit. */
async function rigLife(lane: TestLane, dir: string): Promise<void> {
  const { root } = writeMachine(dir, { serial: 'NR0001' });
  const [request, state, hardware] = [path.join(dir, 'request.json'), path.join(dir, 'state'), path.join(dir, 'hardware.cdx.json')];
  await expectJson('sealane-site', [
    'enroll',
    '--name',
    'rig-1',
    '--out',
    request,
    '--state',
    state,
    '--config',
    path.join(dir, 'site.yaml'),
  ]);
  await expectJson('sealane-site', ['inventory', '--root', root, '--out', hardware]);
  const built = ['--template', lane.hardware, '--hardware', hardware];
  await lane.sealane(['rig', 'add', request, ...built, '--key', 'registrar']);
  await lane.sealane(['rig', 'rebuilt', 'rig-1', ...built, '--key', `file:${path.join(state, 'site.pem')}`]);
  for (const thing of [['rig-1'], ['--class', `sha256:${'0'.repeat(64)}`], ['--serial', 'NR0001']])
    await lane.sealane(['rig', 'revoke', ...thing, '--reason', 'loose cable', '--key', 'registrar']);
}

/** The manifest in a backup of the lane, which is its first file. */
async function manifestOfBackup(lane: TestLane): Promise<Uint8Array> {
  const file = path.join(lane.dir, 'backup.tar');
  await lane.sealane(['backup', '--without-keys', '--out', file]);
  const { value } = await readTar(createReadStream(file), DEFAULT_UNPACK_LIMITS).next();
  const chunks: Uint8Array[] = [];
  for await (const chunk of value?.content ?? []) chunks.push(new Uint8Array(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

/** The manifest in an export of all that was logged. */
async function manifestOfExport(lane: TestLane): Promise<Uint8Array> {
  const file = path.join(lane.dir, 'export.tar');
  await lane.sealane(['audit', 'export', '--period', '2000-01-01T00:00:00Z/now', '--out', file]);
  return new Uint8Array((await filesInTar(file)).get('manifest.json') ?? []);
}

async function archiveOfLane(lane: TestLane): Promise<Uint8Array> {
  await lane.sealane(['ledger', 'archive', '--before', '5', '--to', `oci:${path.join(lane.dir, 'cold')}`]);
  return readFileSync(path.join(lane.home, 'ledger', 'archive.json'));
}

async function collect(lane: TestLane, site: TestSite): Promise<Documents> {
  const found = new Map<string, Uint8Array[]>();
  const keep: Keep = (name, bytes) => void found.set(name, [...(found.get(name) ?? []), bytes]);
  const file = (...words: readonly string[]): Uint8Array => readFileSync(path.join(...words));
  const folder = (...words: readonly string[]): readonly Uint8Array[] => filesOf(path.join(...words)).map((name) => file(name));
  keep('pipeline', file(lane.home, 'pipeline.yaml'));
  keep('proposal', file(lane.home, 'proposal.json'));
  keep('backup', await manifestOfBackup(lane));
  keep('export', await manifestOfExport(lane));
  keep('database', Buffer.from(databaseJson('/run/postgresql', 'ledger')));
  keep('archive', await archiveOfLane(lane));
  keep('service', Buffer.from(serviceYaml({ github: { url: 'https://token.example' }, gitlab: { url: 'https://gitlab.example' } })));
  keep('site', file(site.config));
  keep('site-template', Buffer.from(codeBelow(pageText('docs/formats/site-template.md'), 'Example')));
  for (const [name, line] of await linesOfServices(site)) keep(name, Buffer.from(line));
  keep('site-request', file(site.dir, 'request.json'));
  keep('certificate-request', file(site.dir, 'certificate-request.json'));
  for (const kind of ['policy', 'channel']) for (const bytes of folder(lane.lane, 'trust', 'targets', kind)) keep(kind, bytes);
  for (const bytes of folder(lane.lane, 'content', 'blobs')) keepBlob(keep, bytes);
  for (const bytes of [file(site.dir, 'record.json'), file(site.dir, 'request-of-exception.json'), ...folder(site.state, 'receipts')])
    keepBundle(keep, parse(bytes));
  const leaves = folder(lane.lane, 'log', 'tile', 'entries').flatMap(entriesOf);
  leaves.forEach((leaf) => keep('log-leaf', leaf));
  const { size } = parseCheckpoint(file(lane.lane, 'log', 'checkpoint'));
  for (let index = 0; index < size; index += 1) keepBundle(keep, (await lane.sealane(['log', 'prove', String(index)])).bundle);
  return found;
}

/** What an operator's command asks for, and what the real `fetch` answers. */
async function linesOfServices(site: TestSite): Promise<readonly (readonly [string, string])[]> {
  const [operators, fetch] = [path.join(site.dir, 'operators.sock'), path.join(site.dir, 'fetch.sock')];
  const server = createServer((socket) => socket.once('data', (bytes) => socket.end(bytes)));
  await new Promise<void>((resolve) => server.listen(operators, resolve));
  const asked = new Promise<string>((resolve) =>
    server.once('connection', (socket) => socket.once('data', (bytes) => resolve(String(bytes)))),
  );
  await runJson('sealane-site', ['hold', '--reason', 'crane works', '--service', operators]);
  server.close();
  const service = await startFetch(fetch, path.join(site.dir, 'fetched'));
  const answer = await askRaw(fetch, '{"v":1,"do":"drop-offer"}\n');
  await service.stop();
  return [
    ['operator-request', (await asked).trim()],
    ['fetch-answer', answer.trim()],
  ];
}

/** Kinds of blobs of ours, which lie in `content/`. */
const DOCUMENTS: readonly string[] = ['Waybill', 'Topology', 'Fidelity', 'Conditions', 'Rehearsal'];

type Keep = (name: string, bytes: Uint8Array) => void;

function keepBlob(keep: Keep, bytes: Uint8Array): void {
  if (bytes[0] !== '{'.charCodeAt(0)) return;
  const value = parse(bytes);
  const { kind } = value;
  if (typeof kind === 'string' && DOCUMENTS.includes(kind)) keep(kind.toLowerCase(), bytes);
  if (kind === 'SiteShard') keep('site-shard', bytes);
  if (kind === 'SealedSecret') keep('sealed-secret', bytes);
  if (value['artifactType'] === RELEASE_ARTIFACT_TYPE) keep('release-manifest', bytes);
}

/** A bundle, and the statement in it. */
function keepBundle(keep: Keep, bundle: JsonObject): void {
  const envelope = bundle['dsseEnvelope'] as { readonly payload: string };
  const payload = fromBase64(envelope.payload);
  const { predicateType } = parse(payload);
  const name = typeof predicateType === 'string' ? STATEMENTS[predicateType] : undefined;
  keep('bundle', canonicalJson(bundle));
  if (name !== undefined) keep(name, payload);
}

/** The entries of a bundle of tlog-tiles: each after its length in 16 bits. */
function entriesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Buffer.from(bytes).readUInt16BE(at);
    entries.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

/** Every file below a folder, as absolute paths in order. */
export function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

function parse(bytes: Uint8Array): JsonObject {
  return JSON.parse(new TextDecoder().decode(bytes)) as JsonObject;
}
