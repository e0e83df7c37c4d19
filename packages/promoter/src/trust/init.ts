/** Makes a lane: keys, root, policies, empty channels, an empty log. */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { equalBytes, formatVkey, keyIdOf, NOTE_KEY_TYPE, parseVkey, PromoterError, SealaneError, type Signer, vkeyOf } from '@sealane/core';
import { databaseFile, ed25519NoteSigner, ledgerAt, openLedger, parseDatabase } from '@sealane/ledger';
import { openLayout } from '@sealane/oci';
import {
  describeRole,
  encodePolicy,
  encodeTrustedRoot,
  EXAMPLE_MARK,
  type Policy,
  publishedMetadataPath,
  type RoleKeys,
  rootMetadata,
  ROOTS_LOGGED_MARK,
  signMetadata,
  targetsMetadata,
  tufExpiryAt,
} from '@sealane/trust';
import { reached } from '../crash-point.js';
import { durableWrite, makePrivateFolder, PRIVATE_FILE, PUBLIC_FILE, readNamed, readOptional } from '../disk-shell.js';
import { type Home, homeAt } from '../home.js';
import { defaultPipeline, withWitness } from '../pipeline/default-pipeline.js';
import { namesWitnesses, type Pipeline, readPipeline } from '../pipeline/pipeline.js';
import { readPrivateKey } from '../signers/key-file.js';
import type { KeyPlace } from '../signers/key-place.js';
import { nextPublicHalf, signerById, storedKeys } from '../signers/key-store.js';
import { passphraseFrom, type SecretPlace } from '../signers/passphrase.js';
import {
  describeKeys,
  type KeySource,
  makeKeys,
  makeWitnessKey,
  refuseExampleKeys,
  ROOT_KEYS,
  someWitnessVkey,
  TARGETS_KEYS,
} from './init-keys.js';
import { policyFor } from './policies.js';
import { expectRolesApart } from './roles-apart.js';
import { emptyChannel, publishStage, publishTop, writeTarget } from './publish-lane.js';

/** DESIGN "Two authorities": root needs two of three owners, targets both of two. */
const OWNERS_THRESHOLD = 2;

export interface InitWish {
  readonly folder: string;
  /** A pipeline file to take; without it the one in the folder, else the default one. */
  readonly pipeline?: string;
  /** A file that names the PostgreSQL database of the ledger; without it the one in the folder, else the ledger is an SQLite file. */
  readonly database?: string;
  /** The folder of the example keys, when the lane is to be made from them. */
  readonly exampleKeys?: string;
  readonly now: () => string;
  /** Where passphrases and PINs of keys that are there already come from. */
  readonly secrets: SecretPlace;
}

export interface MadeLane {
  readonly home: string;
  readonly lane: string;
  readonly origin: string;
  readonly rootVersion: number;
  readonly keys: readonly { readonly name: string; readonly id: string; readonly path: string }[];
  readonly log: { readonly origin: string; readonly vkey: string };
  /** The first witness; `key` is the file of its private key when that was made here: it belongs on another host. */
  readonly witness: { readonly vkey: string; readonly url: string; readonly key: string | null };
}

/**
 * Makes a lane in `folder`. Keys come first and stay; the timestamp comes last: an interrupted `init` is run again.
 *
 * @throws PromoterError `LANE_EXISTS` there is one already; `CONFIG_INVALID`, `KEY_MALFORMED`, `KEY_EXAMPLE`, `KEY_ROLES_SHARED`, `STATE_UNWRITABLE`
 */
export async function initLane(wish: InitWish): Promise<MadeLane> {
  const home = homeAt(wish.folder);
  if (existsSync(path.join(home.trust, publishedMetadataPath('timestamp', 1)))) {
    throw new PromoterError('LANE_EXISTS', `make a lane in ${home.folder}: there is one already`, { home: home.folder });
  }
  const bytes = pipelineBytes(home, wish);
  if (bytes !== undefined) await expectPipeline(bytes, wish.pipeline ?? home.pipeline);
  const database = databaseBytes(home, wish);
  if (wish.exampleKeys === undefined) refuseExampleKeys(home);
  makePrivateFolder(home.keys);
  makePrivateFolder(home.owners);
  const pipeline = await takePipeline(home, wish, bytes);
  makeKeys(home, pipeline, keySource(wish));
  reached('init:keys-made');
  const logKey = readPrivateKey(path.join(home.keys, 'log.pem'), passphraseFrom(wish.secrets)).key;
  const logVkey = formatVkey(vkeyOf(pipeline.lane, NOTE_KEY_TYPE.ed25519, logKey));
  durableWrite(home.logVkey, `${logVkey}\n`, PUBLIC_FILE);
  makePrivateFolder(path.dirname(home.ledger));
  if (database !== undefined) durableWrite(databaseFile(home.ledger), database, PRIVATE_FILE);
  await (
    await openLedger({
      ...ledgerAt(home.ledger),
      origin: pipeline.lane,
      logSigner: ed25519NoteSigner(pipeline.lane, logKey),
      now: wish.now,
    })
  ).close();
  await openLayout(home.content, { create: 'if-missing' });
  // empty until something is logged, but there: who serves or copies a lane finds its three parts
  mkdirSync(home.log, { recursive: true });
  await publishFirst(home, pipeline, logVkey, wish);
  reached('init:published');
  const made = { home: home.folder, lane: home.lane, origin: pipeline.lane, rootVersion: 1, keys: describeKeys(home) };
  return { ...made, log: { origin: pipeline.lane, vkey: logVkey }, witness: firstWitness(home, pipeline) };
}

function keySource({ exampleKeys, secrets }: InitWish): KeySource {
  return { examples: exampleKeys, passphrase: passphraseFrom(secrets) };
}

function pipelineBytes(home: Home, wish: InitWish): Uint8Array | undefined {
  return wish.pipeline === undefined ? readOptional(home.pipeline) : readNamed(wish.pipeline, 'pipeline');
}

/** A pipeline that cannot be read leaves nothing behind. One without a witness is read as it will be with the one that is made for it. */
async function expectPipeline(bytes: Uint8Array, file: string): Promise<void> {
  await readPipeline(namesWitnesses(bytes, file) ? bytes : withWitness(bytes, file, someWitnessVkey()), file);
}

/** The file that names the database, when one is given: read before anything is made, as it will be read in the home. */
function databaseBytes(home: Home, { database }: InitWish): Uint8Array | undefined {
  if (database === undefined) return undefined;
  const bytes = readNamed(database, 'database');
  try {
    parseDatabase(bytes, databaseFile(home.ledger));
  } catch (cause) {
    // it is not there yet under the name that it will have
    if (!(cause instanceof SealaneError)) throw cause;
    throw new PromoterError(cause.code, `take in ${database}: ${cause.message}`, cause.data, { cause });
  }
  return bytes;
}

/** The pipeline as it will lie in the home: one that names no witness gets one, whose key is made here. */
async function takePipeline(home: Home, wish: InitWish, given: Uint8Array | undefined): Promise<Pipeline> {
  const file = wish.pipeline ?? home.pipeline;
  let bytes = given;
  if (bytes === undefined) bytes = Buffer.from(defaultPipeline(makeWitnessKey(home, keySource(wish))));
  else if (!namesWitnesses(bytes, file)) bytes = withWitness(bytes, file, makeWitnessKey(home, keySource(wish)));
  const pipeline = await readPipeline(bytes, file);
  durableWrite(home.pipeline, bytes, PUBLIC_FILE);
  return pipeline;
}

async function publishFirst(home: Home, pipeline: Pipeline, logVkey: string, wish: InitWish): Promise<void> {
  const { now } = wish;
  const place: KeyPlace = { ...wish.secrets, home, isExampleLane: wish.exampleKeys !== undefined };
  const signer = (name: string): Promise<Signer> => signerById(place, [keyIdOf(nextPublicHalf(home, name))], name);
  const findKey = (name: string): Uint8Array => nextPublicHalf(home, name);
  const policies = pipeline.stages.map(({ name }) =>
    policyFor({ pipeline, findKey, logVkey, logSize: 0, now: wish.now(), revoked: [] }, name),
  );
  const root = firstRoot(home, now(), place);
  expectRolesApart({ root, targets: null, policies });
  const delegations = pipeline.stages.map(({ name, key }) => ({ stage: name, keys: [findKey(key ?? name)], threshold: 1 }));
  const targets = targetsMetadata({
    version: 1,
    expiresAt: tufExpiryAt('targets', now()),
    targets: writeTargets(home, policies),
    stages: delegations,
  });
  const signed = await signMetadata(targets, await Promise.all(TARGETS_KEYS.map(signer)));
  durableWrite(path.join(home.trust, publishedMetadataPath('targets', 1)), signed, PUBLIC_FILE);
  const roles = [describeRole('targets', signed)];
  for (const { name, key } of pipeline.stages) {
    roles.push(await publishStage({ home, now }, name, emptyChannel(pipeline.lane, name, now()), await signer(key ?? name)));
  }
  await writeRoot(home, root, place);
  await publishTop({ home, now, signer }, roles);
}

function writeTargets(home: Home, policies: readonly Policy[]): readonly ReturnType<typeof writeTarget>[] {
  const last = policies.at(-1);
  if (last === undefined) throw new PromoterError('CONFIG_INVALID', 'make a lane: expected at least one stage, got none');
  return [
    ...policies.map((policy) => writeTarget(home, `policy/${policy.stage}.json`, encodePolicy(policy))),
    writeTarget(home, 'trusted_root.json', encodeTrustedRoot(last)),
  ];
}

function firstRoot(home: Home, now: string, place: KeyPlace): Uint8Array {
  const role = (names: readonly string[], threshold: number): RoleKeys => ({
    keys: names.map((name) => nextPublicHalf(home, name)),
    threshold,
  });
  return rootMetadata({
    version: 1,
    expiresAt: tufExpiryAt('root', now),
    roles: {
      root: role(ROOT_KEYS, OWNERS_THRESHOLD),
      targets: role(TARGETS_KEYS, OWNERS_THRESHOLD),
      snapshot: role(['snapshot'], 1),
      timestamp: role(['timestamp'], 1),
    },
    marks: { [ROOTS_LOGGED_MARK]: true, ...(place.isExampleLane ? { [EXAMPLE_MARK]: true } : {}) },
  });
}

async function writeRoot(home: Home, root: Uint8Array, place: KeyPlace): Promise<void> {
  const owners = storedKeys(home).filter(({ name, half }) => half === 'private' && ROOT_KEYS.some((owner) => owner === name));
  const signers = owners.slice(0, OWNERS_THRESHOLD).map(({ id, name }) => signerById(place, [id], name));
  const signed = await signMetadata(root, await Promise.all(signers));
  durableWrite(path.join(home.trust, publishedMetadataPath('root', 1)), signed, PUBLIC_FILE);
}

function firstWitness(home: Home, { witnesses: [witness] }: Pipeline): MadeLane['witness'] {
  if (witness === undefined) throw new PromoterError('CONFIG_INVALID', 'make a lane: expected a witness, got none');
  const key = path.join(home.keys, 'witness.pem');
  return { vkey: witness.vkey, url: witness.url, key: existsSync(key) && isKeyOf(key, witness.vkey) ? key : null };
}

function isKeyOf(file: string, vkey: string): boolean {
  const { name, publicKey } = parseVkey(vkey);
  return equalBytes(vkeyOf(name, NOTE_KEY_TYPE.cosignature, readPrivateKey(file).key).publicKey, publicKey);
}
