/** The log of records of a home: its key in `keys/records.pem`, its files in the lane, the newest checkpoint that it showed beside the ledger. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fromUtf8, hex, type JsonObject, logId, parseLogLeaf, parseVkey, PromoterError, sha256Raw, utf8 } from '@sealane/core';
import { ed25519NoteSigner, type NoteSigner, openRecordLog, type RecordLog, type RecordProof } from '@sealane/ledger';
import { logEntryJson } from '@sealane/trust';
import { durableWrite, looseWrite, PRIVATE_FILE, PUBLIC_FILE, readNamed, readOptional } from '../disk-shell.js';
import type { CommandIo } from '@sealane/core/command-line';
import type { Home } from '../home.js';
import { readPipeline } from '../pipeline/pipeline.js';
import { readPrivateKey } from '../signers/key-file.js';
import { type Passphrase, passphraseFrom } from '../signers/passphrase.js';
import { recordName, type RecordRequest } from './record-request.js';

/** Name of its key in a home. */
export const RECORDS_KEY = 'records';

/** Where records lie by name: which record a signature is, so that nobody grows the log with what is there. Ours; C2SP leaves other names free. */
const namePath = (name: string): string => {
  const digits = hex(sha256Raw(utf8(name)));
  return path.join('names', digits.slice(0, 2), digits.slice(2));
};

/** Its signer. @throws PromoterError `CONFIG_INVALID` there is no such log; `KEY_MALFORMED`, `KEY_LOCKED`, `KEY_EXPOSED` */
export function recordsSigner({ keys }: Home, lane: string, passphrase: Passphrase): NoteSigner {
  const file = path.join(keys, `${RECORDS_KEY}.pem`);
  if (readOptional(file) === undefined)
    throw new PromoterError(
      'CONFIG_INVALID',
      `open the log of records: expected its key ${file}, got none`,
      { file },
      { hint: 'make one with: sealane records init --url URL' },
    );
  // for cosign an origin is a host name, and this one cannot be the ledger's
  return ed25519NoteSigner(`records.${lane}`, readPrivateKey(file, passphrase).key);
}

/** The signer of a home that is not open. @throws PromoterError as `recordsSigner` */
export async function recordsSignerAt(home: Home, { env, cwd }: CommandIo): Promise<NoteSigner> {
  const { lane } = await readPipeline(readNamed(home.pipeline, 'pipeline'), home.pipeline);
  return recordsSigner(home, lane, passphraseFrom({ env, cwd }));
}

/** Opens the log as it is now. */
export function recordLogOf(home: Home, signer: NoteSigner): RecordLog {
  const at = (file: string): string => path.join(home.records, file);
  const anchor = path.join(path.dirname(home.ledger), 'records.anchor');
  return openRecordLog(
    {
      read: (file) => readOptional(at(file)),
      write: (file, bytes) => durableWrite(at(file), bytes, PUBLIC_FILE),
      removeFolder: (folder) => rmSync(at(folder), { recursive: true, force: true }),
    },
    {
      read: () => {
        const bytes = readOptional(anchor);
        return bytes === undefined ? undefined : fromUtf8(bytes);
      },
      keep: (note) => durableWrite(anchor, note, PRIVATE_FILE),
    },
    signer,
  );
}

/** The place of the record that was logged by this name; undefined when there is none, or its name was not kept when a kill or a power cut came. */
export function placeOfRecord({ records }: Home, log: RecordLog, name: string): number | undefined {
  const bytes = readOptional(path.join(records, namePath(name)));
  if (bytes === undefined) return undefined;
  const index = Number(/^(\d+)\n$/.exec(fromUtf8(bytes))?.[1]);
  if (!(index < log.head().size)) return undefined;
  const [proof] = log.prove([index]);
  return proof !== undefined && recordName(parseLogLeaf(proof.leaf)) === name ? index : undefined;
}

/** Logs records under one checkpoint and remembers their names, which are not worth a flush each: one that is lost lets its record in once more. @returns the place of each */
export function appendRecords(
  { records }: Home,
  log: RecordLog,
  fresh: readonly Pick<RecordRequest, 'name' | 'leaf'>[],
): readonly number[] {
  const indices = log.append(fresh.map(({ leaf }) => leaf));
  fresh.forEach(({ name }, at) => looseWrite(path.join(records, namePath(name)), `${indices[at]}\n`));
  return indices;
}

/** The entry as Rekor v2 answers it and bundles carry it. */
export function recordEntry({ index, leaf, checkpoint, hashes }: RecordProof, { vkey }: NoteSigner): JsonObject {
  const { size: treeSize, root: rootHash, note } = checkpoint;
  return logEntryJson({ logIndex: index, treeSize, rootHash, hashes, checkpoint: note, logId: logId(parseVkey(vkey)) }, leaf);
}
