/**
 * What was signed, put into `content/` for those who have the lane alone: each statement as DSSE's pre-authentication encoding, whose digest is the one
 * that its leaf carries. So whoever reads the log finds what each entry says, and that it is what was signed. A keyless signature's timestamp, which no
 * leaf has, lies beside the log under its entry's index.
 */
import path from 'node:path';
import {
  type Digest,
  digestFromHex,
  digestHex,
  envelopePayload,
  fromUtf8,
  hex,
  pae,
  parseCheckpoint,
  parseLogLeaf,
  sha256,
  type Signed,
  timestampPath,
} from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { readBlob } from '../content.js';
import { durableWriteAll, PUBLIC_FILE, readOptional } from '../disk-shell.js';
import type { Promoter } from '../promoter.js';

/** Entries that are written at a time. */
const BATCH = 256;

/** The blob of an entry. */
function signedBytes({ envelope }: Pick<Signed, 'envelope'>): Uint8Array {
  return pae(envelope.payloadType, envelopePayload(envelope));
}

/** The name of the blob of an entry. */
export function signedDigest(entry: Pick<Signed, 'envelope'>): Digest {
  return sha256(signedBytes(entry));
}

/** What is published of entries beside their leaves, by file. */
export function payloadFiles({ home }: Pick<Promoter, 'home'>, entries: readonly LedgerEntry[]): Map<string, Uint8Array> {
  const files = entries.map((entry): [string, Uint8Array] => {
    const bytes = signedBytes(entry);
    return [path.join(home.content, 'blobs', 'sha256', digestHex(sha256(bytes))), bytes];
  });
  const timestamps = entries.flatMap(({ index, certified }): [string, Uint8Array][] =>
    certified === undefined ? [] : [[path.join(home.log, timestampPath(index)), certified.timestamp]],
  );
  return new Map([...files, ...timestamps]);
}

/**
 * Writes the blobs of all entries that the checkpoint to be published has and the one that lies there has not, but for the last few: those are returned by
 * file, to be written with what else must be there before the checkpoint. Those in `written` are there already.
 */
export async function publishPayloads(
  { ledger, home }: Pick<Promoter, 'ledger' | 'home'>,
  written: ReadonlySet<string>,
): Promise<Map<string, Uint8Array>> {
  const latest = await ledger.latestCosigned();
  let left = new Map<string, Uint8Array>();
  if (latest === null) return left;
  const published = readOptional(path.join(home.log, 'checkpoint'));
  const shown = published === undefined ? 0 : parseCheckpoint(fromUtf8(published)).size;
  const { size } = parseCheckpoint(latest);
  for (let at = await firstMissing({ ledger, home }, Math.min(shown, size)); at < size; at += BATCH) {
    await durableWriteAll(left, PUBLIC_FILE);
    // what was erased is not published again
    const entries = await ledger.noting(() => undefined).entries(at, Math.min(BATCH, size - at));
    left = new Map([...payloadFiles({ home }, entries)].filter(([file]) => !written.has(file)));
  }
  return left;
}

/** A lane that was published before payloads were is brought up to date from its beginning. */
async function firstMissing({ ledger, home }: Pick<Promoter, 'ledger' | 'home'>, shown: number): Promise<number> {
  if (shown === 0) return 0;
  // the leaf has its name: what the entry says may be in an archive
  const { paeDigest } = parseLogLeaf(await ledger.leaf(shown - 1));
  return readBlob({ home }, digestFromHex(hex(paeDigest))) === undefined ? 0 : shown;
}
