/** The keys that `init` makes: each kept where it is, taken from the example keys, or made anew. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { EXAMPLE_KEY_IDS, formatVkey, keyIdOf, NOTE_KEY_TYPE, PromoterError, vkeyOf } from '@sealane/core';
import { durableWrite, PRIVATE_FILE, readNamed } from '../disk-shell.js';
import type { Home } from '../home.js';
import { type Pipeline } from '../pipeline/pipeline.js';
import { createKeyFile, readPrivateKey } from '../signers/key-file.js';
import { REFERENCE_SUFFIX } from '../signers/key-reference-file.js';
import { storedKeys } from '../signers/key-store.js';
import type { Passphrase } from '../signers/passphrase.js';
import { pipelineKeys } from './policies.js';

/** Names of the owners' keys. */
export const ROOT_KEYS = ['root-1', 'root-2', 'root-3'] as const;
export const TARGETS_KEYS = ['targets-1', 'targets-2'] as const;
/** Names of the promoter's own keys, beside those of the stages. */
const ONLINE_KEYS = ['snapshot', 'timestamp'] as const;
/** Name of the witness that `init` makes a key for when the pipeline names none. */
const WITNESS_NAME = 'witness.example';

/** Where keys are taken from when they are not there (a folder of example keys, or nowhere), and how encrypted ones are opened. */
export interface KeySource {
  readonly examples: string | undefined;
  readonly passphrase: Passphrase;
}

/** Makes what is missing of the keys that a lane needs. Public halves given beforehand stay public halves. */
export function makeKeys(home: Home, pipeline: Pipeline, source: KeySource): void {
  const named = (folder: string, names: readonly string[]): void => {
    for (const name of names) if (!isElsewhere(folder, name)) ensureKey(path.join(folder, `${name}.pem`), 'p256', source);
  };
  named(home.owners, [...ROOT_KEYS, ...TARGETS_KEYS]);
  named(home.keys, [...ONLINE_KEYS, ...pipelineKeys(pipeline)]);
  ensureKey(path.join(home.keys, 'log.pem'), 'ed25519', source);
}

/** A key given beforehand: its public half only, or a reference to where it is kept. */
function isElsewhere(folder: string, name: string): boolean {
  return [`${name}.pub.pem`, `${name}${REFERENCE_SUFFIX}`].some((file) => existsSync(path.join(folder, file)));
}

/** Everybody has the example keys: a lane that does not say so in its root must not be made from one. @throws PromoterError `KEY_EXAMPLE`, `KEY_MALFORMED` */
export function refuseExampleKeys(home: Pick<Home, 'keys' | 'owners'>): void {
  const example = storedKeys(home).find(({ id }) => EXAMPLE_KEY_IDS.has(id));
  if (example === undefined) return;
  throw new PromoterError(
    'KEY_EXAMPLE',
    `use key ${example.file}: it is an example key that everybody has, and this lane is not made from them`,
    { file: example.file },
    { hint: `remove it and make your own: sealane key create ${example.name}, or try things out with: sealane init --example-keys` },
  );
}

/** The verifier key of the witness whose private key `init` makes in `keys/witness.pem`, to be moved to its own host. */
export function makeWitnessKey(home: Home, source: KeySource): string {
  const { key } = ensureKey(path.join(home.keys, 'witness.pem'), 'ed25519', source);
  return formatVkey(vkeyOf(WITNESS_NAME, NOTE_KEY_TYPE.cosignature, key));
}

/** As `makeWitnessKey`, of a key that nobody keeps: to read a pipeline as it will be before a key is made for it. */
export function someWitnessVkey(): string {
  return formatVkey(vkeyOf(WITNESS_NAME, NOTE_KEY_TYPE.cosignature, generateKeyPairSync('ed25519').privateKey));
}

/** What `init` says of the keys of a home: name, id, file. */
export function describeKeys(home: Home): readonly { readonly name: string; readonly id: string; readonly path: string }[] {
  return storedKeys(home).map(({ name, spki, file }) => ({ name, id: keyIdOf(spki), path: file }));
}

function ensureKey(file: string, kind: 'p256' | 'ed25519', source: KeySource): ReturnType<typeof readPrivateKey> {
  if (existsSync(file)) return readPrivateKey(file, source.passphrase);
  const example = source.examples === undefined ? undefined : path.join(source.examples, path.basename(file));
  if (example === undefined || !existsSync(example)) createKeyFile(file, kind);
  else durableWrite(file, readNamed(example, 'example key'), PRIVATE_FILE);
  return readPrivateKey(file);
}
