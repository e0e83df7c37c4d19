/** Makes a lane: keys, root, policies, empty channels, an empty log. */
import { copyFileSync, chmodSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { base64, canonicalJson, formatVkey, keyIdOf, NOTE_KEY_TYPE, parseVkey, PromoterError, type Signer, vkeyOf } from '@sealane/core';
import { ed25519NoteSigner, openLedger } from '@sealane/ledger';
import { type Channel, describeRole, encodePolicy, encodeTrustedRoot, EXAMPLE_MARK, publishedMetadataPath, type RoleKeys, rootMetadata, signMetadata, targetsMetadata, tufExpiryAt } from '@sealane/trust';
import { durableWrite, PRIVATE_FILE, PUBLIC_FILE, readNamed, readOptional } from '../disk-shell.js';
import { type Home, homeAt } from '../home.js';
import { defaultPipeline } from '../pipeline/default-pipeline.js';
import { type Pipeline, parsePipeline } from '../pipeline/pipeline.js';
import { createKeyFile, readPrivateKey, readPublicHalf, signerOf } from '../signers/key-file.js';
import { policyFor } from './policies.js';
import { publishStage, publishTop, writeTarget } from './publish-lane.js';

const ROOT_KEYS = ['root-1', 'root-2', 'root-3'] as const;
const TARGETS_KEYS = ['targets-1', 'targets-2'] as const;
/** DESIGN "Two authorities": root needs two of three owners, targets both of two. */
const OWNERS_THRESHOLD = 2;
/** Name of the witness that `init` makes a key for when no pipeline is given. */
const WITNESS_NAME = 'witness.example';

export interface InitWish {
  readonly folder: string;
  /** A pipeline file to take; without it the default one is written. */
  readonly pipeline?: string;
  /** The folder of the example keys, when the lane is to be made from them. */
  readonly exampleKeys?: string;
  readonly now: () => string;
}

export interface MadeLane {
  readonly home: string;
  readonly lane: string;
  readonly origin: string;
  readonly rootVersion: number;
  readonly keys: readonly { readonly name: string; readonly id: string; readonly path: string }[];
  readonly log: { readonly origin: string; readonly vkey: string };
  readonly witness: { readonly vkey: string; readonly url: string; readonly key: string | null };
}

/**
 * Makes a lane in `folder`. The first root is written last but for the timestamp: an interrupted `init` can be run again.
 *
 * @throws PromoterError `LANE_EXISTS` there is one already; `CONFIG_INVALID`, `KEY_MALFORMED`
 */
export async function initLane(wish: InitWish): Promise<MadeLane> {
  const home = homeAt(wish.folder);
  if (existsSync(path.join(home.trust, 'metadata', 'timestamp.json'))) {
    throw new PromoterError('LANE_EXISTS', `make a lane in ${home.folder}: there is one already`, { home: home.folder });
  }
  mkdirSync(home.keys, { recursive: true, mode: 0o700 });
  mkdirSync(home.owners, { recursive: true, mode: 0o700 });
  const pipeline = takePipeline(home, wish);
  makeKeys(home, pipeline, wish.exampleKeys);
  const logKey = readPrivateKey(path.join(home.keys, 'log.pem')).key;
  const logVkey = formatVkey(vkeyOf(pipeline.lane, NOTE_KEY_TYPE.ed25519, logKey));
  durableWrite(home.logVkey, `${logVkey}\n`, PUBLIC_FILE);
  await (await openLedger({ file: home.ledger, origin: pipeline.lane, logSigner: ed25519NoteSigner(pipeline.lane, logKey), now: wish.now })).close();
  makeContent(home);
  await publishFirst(home, pipeline, logVkey, wish);
  return describe(home, pipeline, logVkey);
}

function takePipeline(home: Home, wish: InitWish): Pipeline {
  const given = wish.pipeline === undefined ? readOptional(home.pipeline) : readNamed(wish.pipeline, 'pipeline');
  const bytes = given ?? Buffer.from(defaultPipeline(witnessVkey(home, wish.exampleKeys)));
  const pipeline = parsePipeline(bytes, wish.pipeline ?? home.pipeline);
  durableWrite(home.pipeline, bytes, PUBLIC_FILE);
  return pipeline;
}

function witnessVkey(home: Home, exampleKeys: string | undefined): string {
  const file = path.join(home.keys, 'witness.pem');
  const { key } = keyFile(file, 'ed25519', exampleKeys);
  return formatVkey(vkeyOf(WITNESS_NAME, NOTE_KEY_TYPE.cosignature, key));
}

/** Every key that the lane needs here: taken from the example keys, kept, or made. Public halves given beforehand stay public halves. */
function makeKeys(home: Home, pipeline: Pipeline, exampleKeys: string | undefined): void {
  for (const name of [...ROOT_KEYS, ...TARGETS_KEYS]) keyFile(path.join(home.owners, `${name}.pem`), 'p256', exampleKeys);
  for (const name of homeKeyNames(pipeline)) {
    if (!existsSync(path.join(home.keys, `${name}.pub.pem`))) keyFile(path.join(home.keys, `${name}.pem`), 'p256', exampleKeys);
  }
  keyFile(path.join(home.keys, 'log.pem'), 'ed25519', exampleKeys);
}

/** Names of the P-256 keys under `keys/`, each once. */
function homeKeyNames({ stages, people, signers, registrar }: Pipeline): readonly string[] {
  const names = ['snapshot', 'timestamp', ...stages.map(({ name, key }) => key ?? name), ...people.flatMap(({ keys }) => keys), ...Object.values(signers).flat(), ...registrar];
  return [...new Set(names)];
}

function keyFile(file: string, kind: 'p256' | 'ed25519', exampleKeys: string | undefined): ReturnType<typeof readPrivateKey> {
  if (existsSync(file)) return readPrivateKey(file);
  const example = exampleKeys === undefined ? undefined : path.join(exampleKeys, path.basename(file));
  if (example === undefined || !existsSync(example)) return createKeyFile(file, kind);
  copyFileSync(example, file);
  chmodSync(file, PRIVATE_FILE);
  return readPrivateKey(file);
}

/** An empty OCI image layout. */
function makeContent(home: Home): void {
  mkdirSync(path.join(home.content, 'blobs', 'sha256'), { recursive: true });
  durableWrite(path.join(home.content, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}', PUBLIC_FILE);
  const index = path.join(home.content, 'index.json');
  if (readOptional(index) === undefined) {
    durableWrite(index, canonicalJson({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] }), PUBLIC_FILE);
  }
}

async function publishFirst(home: Home, pipeline: Pipeline, logVkey: string, wish: InitWish): Promise<void> {
  const { now } = wish;
  const stages = pipeline.stages.map(({ name }) => name);
  const findKey = (name: string): Uint8Array => readPublicHalf(home.keys, name);
  const policies = stages.map((stage) => ({ stage, policy: policyFor(pipeline, stage, findKey, logVkey) }));
  const last = policies.at(-1)?.policy;
  if (last === undefined) throw new PromoterError('CONFIG_INVALID', 'make a lane: expected at least one stage, got none');
  const targets = [
    ...policies.map(({ stage, policy }) => writeTarget(home, `policy/${stage}.json`, encodePolicy(policy))),
    writeTarget(home, 'trusted_root.json', encodeTrustedRoot(last)),
  ];
  const delegations = pipeline.stages.map(({ name, key }) => ({ stage: name, keys: [findKey(key ?? name)], threshold: 1 }));
  const signed = await signMetadata(targetsMetadata({ version: 1, expiresAt: tufExpiryAt('targets', now()), targets, stages: delegations }), owners(home, TARGETS_KEYS));
  durableWrite(path.join(home.trust, publishedMetadataPath('targets', 1)), signed, PUBLIC_FILE);
  const roles = [describeRole('targets', signed)];
  for (const stage of stages) {
    const signer = signerOf(readPrivateKey(path.join(home.keys, `${pipeline.stages.find(({ name }) => name === stage)?.key ?? stage}.pem`)));
    roles.push(await publishStage({ home, now }, stage, emptyChannel(pipeline.lane, stage, now()), signer));
  }
  await writeRoot(home, now(), wish.exampleKeys !== undefined);
  await publishTop({ home, now }, roles);
}

function emptyChannel(lane: string, stage: string, issuedAt: string): Channel {
  return { apiVersion: 'sealane/v1', kind: 'Channel', lane, stage, issuedAt, groups: [], rollback: [], held: [], fenced: [], revoked: [], floor: null };
}

async function writeRoot(home: Home, now: string, isExample: boolean): Promise<void> {
  const spkis = (folder: string, names: readonly string[]): readonly Uint8Array[] => names.map((name) => readPublicHalf(folder, name));
  const online = (name: string): RoleKeys => ({ keys: spkis(home.keys, [name]), threshold: 1 });
  const root = rootMetadata({
    version: 1,
    expiresAt: tufExpiryAt('root', now),
    roles: {
      root: { keys: spkis(home.owners, ROOT_KEYS), threshold: OWNERS_THRESHOLD },
      targets: { keys: spkis(home.owners, TARGETS_KEYS), threshold: OWNERS_THRESHOLD },
      snapshot: online('snapshot'),
      timestamp: online('timestamp'),
    },
    ...(isExample ? { marks: { [EXAMPLE_MARK]: true } } : {}),
  });
  durableWrite(path.join(home.trust, publishedMetadataPath('root', 1)), await signMetadata(root, owners(home, ROOT_KEYS.slice(0, OWNERS_THRESHOLD))), PUBLIC_FILE);
}

function owners(home: Home, names: readonly string[]): readonly Signer[] {
  return names.map((name) => signerOf(readPrivateKey(path.join(home.owners, `${name}.pem`))));
}

function describe(home: Home, pipeline: Pipeline, logVkey: string): MadeLane {
  const row = (folder: string, name: string): MadeLane['keys'][number] => {
    const file = path.join(folder, existsSync(path.join(folder, `${name}.pem`)) ? `${name}.pem` : `${name}.pub.pem`);
    return { name, id: keyIdOf(readPublicHalf(folder, name)), path: file };
  };
  const keys = [...[...ROOT_KEYS, ...TARGETS_KEYS].map((name) => row(home.owners, name)), ...[...homeKeyNames(pipeline), 'log'].map((name) => row(home.keys, name))];
  const [witness] = pipeline.witnesses;
  if (witness === undefined) throw new PromoterError('CONFIG_INVALID', 'make a lane: expected a witness, got none');
  const witnessKey = path.join(home.keys, 'witness.pem');
  return {
    home: home.folder,
    lane: home.lane,
    origin: pipeline.lane,
    rootVersion: 1,
    keys,
    log: { origin: pipeline.lane, vkey: logVkey },
    witness: { ...witness, key: isWitnessKey(witnessKey, witness.vkey) ? witnessKey : null },
  };
}

/** Whether the file holds the witness's own key: it belongs on another host. */
function isWitnessKey(file: string, vkey: string): boolean {
  if (!existsSync(file)) return false;
  const { name, publicKey } = parseVkey(vkey);
  return base64(vkeyOf(name, NOTE_KEY_TYPE.cosignature, readPrivateKey(file).key).publicKey) === base64(publicKey);
}
