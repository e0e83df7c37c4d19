/**
 * A pack: the payloads of up to 256 entries as one gzipped tar, with the RFC 3161 tokens of keyless ones. Any tar opens it, and each `INDEX.json` in it is
 * what the leaf of that entry is about.
 */
import { gunzipSync } from 'node:zlib';
import { concatBytes, equalBytes, INTOTO_PAYLOAD_TYPE, LedgerError, LIMITS, pae, parseLogLeaf, sha256Raw, utf8 } from '@sealane/core';

/** Entries of one pack: reading one of them fetches all. */
export const MAX_PACK_ENTRIES = 256;
/** A pack takes another entry as long as its payloads stay below this; one larger statement has a pack of its own. */
export const MAX_PACK_BYTES = 4 * 1024 * 1024;
/** Unpacked: the largest statement beside a full pack, every token, and the tar's own blocks. */
const MAX_UNPACKED_BYTES = LIMITS.statementBytes + MAX_PACK_BYTES + MAX_PACK_ENTRIES * (LIMITS.timestampTokenBytes + 4096);
/** What an envelope's row holds. */
export interface Payload {
  readonly index: number;
  readonly payload: Uint8Array;
  /** The token of a keyless signature. */
  readonly timestamp: Uint8Array | null;
}

/** The bytes of a pack: the same for the same payloads and the same zlib. */
export async function encodePack(payloads: readonly Payload[]): Promise<Uint8Array> {
  return await packFiles(
    payloads.flatMap(({ index, payload, timestamp }): PackedFile[] => [
      [`${index}.json`, payload],
      ...(timestamp === null ? [] : [[`${index}.tsr`, timestamp] as const]),
    ]),
  );
}

/**
 * Reads a pack whose digest has been checked.
 *
 * @throws LedgerError `ARCHIVE_DAMAGED` it is none: other files, one twice, a token without a payload, too large
 */
export async function decodePack(bytes: Uint8Array): Promise<ReadonlyMap<number, Payload>> {
  const payloads = new Map<number, Payload>();
  const timestamps = new Map<number, Uint8Array>();
  for (const [name, content] of await filesIn(bytes, MAX_UNPACKED_BYTES)) {
    const [, digits = '', kind] = /^(0|[1-9]\d{0,15})\.(json|tsr)$/.exec(name) ?? [];
    const index = Number(digits);
    if (kind === undefined || payloads.has(index) === (kind === 'json') || timestamps.has(index))
      throw damaged(`INDEX.json and its token, each once, got ${JSON.stringify(name.slice(0, 40))}`);
    if (kind === 'json') payloads.set(index, { index, payload: content, timestamp: null });
    else timestamps.set(index, content);
  }
  return new Map([...payloads].map(([index, row]) => [index, { ...row, timestamp: timestamps.get(index) ?? null }]));
}

/** A file of a pack. */
export type PackedFile = readonly [name: string, content: Uint8Array];

/** The bytes of a pack of these files. */
export async function packFiles(files: readonly PackedFile[]): Promise<Uint8Array> {
  // most ledgers have no archive, and need not load what writes one
  const { gzip, packedFile, packTar } = await import('@sealane/oci');
  const chunks: Uint8Array[] = [];
  for await (const chunk of gzip(packTar(files.map(([name, content]) => packedFile(name, content))))) chunks.push(chunk);
  return concatBytes(...chunks);
}

/** The files of a pack whose digest has been checked, `maxBytes` of them unpacked at most. @throws LedgerError `ARCHIVE_DAMAGED` */
export async function filesIn(bytes: Uint8Array, maxBytes: number): Promise<readonly PackedFile[]> {
  const { DEFAULT_UNPACK_LIMITS, readTar } = await import('@sealane/oci');
  const limits = { ...DEFAULT_UNPACK_LIMITS, maxTotalBytes: maxBytes, maxEntries: 2 * MAX_PACK_ENTRIES };
  const files: PackedFile[] = [];
  try {
    const tar = new Uint8Array(gunzipSync(bytes, { maxOutputLength: maxBytes }));
    for await (const entry of readTar(once(tar), limits)) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of entry.content) chunks.push(new Uint8Array(chunk));
      files.push([entry.kind === 'file' ? entry.name : `a ${entry.kind}`, concatBytes(...chunks)]);
    }
  } catch (cause) {
    throw damaged(cause instanceof Error ? `a gzipped tar, got one that ends in: ${cause.message}` : 'a gzipped tar', cause);
  }
  return files;
}

// eslint-disable-next-line @typescript-eslint/require-await -- an iterable is what is asked for
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Whether a payload is what a leaf is about: the leaf holds the digest of what was signed. */
export function isOfLeaf({ payload }: Pick<Payload, 'payload'>, leaf: Uint8Array): boolean {
  return equalBytes(sha256Raw(pae(INTOTO_PAYLOAD_TYPE, payload)), parseLogLeaf(leaf).paeDigest);
}

/** The digest of the indexes that a pack holds, in order: it binds the rows of `archived` to their pack. */
export function packedEntries(indexes: readonly number[]): Uint8Array {
  return sha256Raw(utf8(indexes.map((index) => `${index}\n`).join('')));
}

/** Says that a pack is not what it must be. */
export function damaged(expected: string, cause?: unknown): LedgerError {
  return new LedgerError('ARCHIVE_DAMAGED', `read a pack of the archive: expected ${expected}`, {}, cause === undefined ? {} : { cause });
}
