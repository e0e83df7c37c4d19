/**
 * What a layer holds, without its bytes: written when it was unpacked, so that a release with the same layer needs not unpack it again (docs/formats/layer-index.md).
 *
 * It follows from the layer alone. It shows damage, not an attacker: who can write here is root at this site. One that is not there, damaged or of another version says nothing.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Digest,
  digestFromHex,
  digestHex,
  equalBytes,
  isDigest,
  type JsonObject,
  type JsonValue,
  SealaneError,
  sha256,
  utf8,
} from '@sealane/core';
import { readSmallFile } from './blob-file.js';
import type { TarEntry, TarEntryKind } from './tar-reader.js';

/** An entry of a layer, in the archive's own words; `digest` is that of a file's bytes. */
export type IndexedEntry = Omit<TarEntry, 'content'> & { readonly digest?: Digest };

/** A layer: its blob, the diff id where its image says it, and its entries in their order. */
export interface LayerIndex {
  readonly blob: Digest;
  readonly diffId: Digest | undefined;
  readonly entries: readonly IndexedEntry[];
}

/** A change of what a line means is another version, and the old one is unpacked again. */
const VERSION = 1;

/** Above these a layer has no index: all of it is in memory at once. */
const MAX_INDEXED_ENTRIES = 100_000;
const MAX_INDEX_BYTES = 32 * 1024 * 1024;

/** 64 hex digits and a newline. */
const LAST_LINE_BYTES = 65;

const KINDS: readonly string[] = ['file', 'dir', 'symlink', 'hardlink'] satisfies readonly TarEntryKind[];

/** An index that grows with its layer, a line for each entry: the entries themselves are not kept. */
export interface GrowingIndex {
  add(entry: IndexedEntry): void;
  /** Writes it into a folder, in one step but not flushed: one that is torn is none. A layer that is too large for one gets none. */
  write(folder: string): void;
}

/** Starts the index of a layer. */
export function startLayerIndex(blob: Digest, diffId: Digest | undefined): GrowingIndex {
  const lines: Buffer[] = [];
  let [entries, sizeBytes] = [0, 0];
  const mayGrow = (): boolean => entries < MAX_INDEXED_ENTRIES && sizeBytes < MAX_INDEX_BYTES;
  return {
    add: (entry) => {
      if (!mayGrow()) return;
      const line = Buffer.from(lineOf(entry));
      lines.push(line);
      entries += 1;
      sizeBytes += line.length;
    },
    write: (folder) => {
      const bytes = mayGrow() ? whole(headOf({ blob, diffId }, entries), lines) : undefined;
      if (bytes === undefined || bytes.length > MAX_INDEX_BYTES) return;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, digestHex(blob));
      writeFileSync(`${file}.tmp`, bytes, { mode: 0o600 });
      renameSync(`${file}.tmp`, file);
    },
  };
}

/** The index of a layer in a folder; undefined where there is none that counts. */
export async function readLayerIndex(folder: string, blob: Digest, diffId: Digest | undefined): Promise<LayerIndex | undefined> {
  try {
    const index = parseLayerIndex(await readSmallFile(join(folder, digestHex(blob)), MAX_INDEX_BYTES));
    return index?.blob === blob && index.diffId === diffId ? index : undefined;
  } catch (error) {
    // none, or no plain file: the layer is unpacked
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

/** The bytes of an index: a line that names the layer, one for each entry, and the hash of all before it. */
export function encodeLayerIndex({ entries, ...layer }: LayerIndex): Uint8Array {
  return whole(
    headOf(layer, entries.length),
    entries.map((entry) => Buffer.from(lineOf(entry))),
  );
}

function whole(head: string, lines: readonly Buffer[]): Uint8Array {
  const bytes = Buffer.concat([Buffer.from(head), ...lines]);
  return Buffer.concat([bytes, Buffer.from(`${digestHex(sha256(bytes))}\n`)]);
}

function headOf({ blob, diffId }: Omit<LayerIndex, 'entries'>, entries: number): string {
  return textOf({ version: VERSION, blob, diffId: diffId ?? null, entries });
}

const textOf = (line: JsonObject): string => `${JSON.stringify(line)}\n`;

function lineOf({ kind, name, linkTarget, mode, sizeBytes, modifiedSeconds, capability, digest }: IndexedEntry): string {
  return textOf({
    kind,
    name,
    mode,
    ...(modifiedSeconds !== null && { mtime: modifiedSeconds }),
    ...(kind === 'file' && { size: sizeBytes }),
    ...(digest !== undefined && { sha256: digestHex(digest) }),
    ...(linkTarget !== '' && { target: linkTarget }),
    ...(capability && { capability }),
  });
}

/** Reads an index, whose hash is looked at first; undefined where it is not what this program writes, to the last byte. */
export function parseLayerIndex(bytes: Uint8Array): LayerIndex | undefined {
  const lines = bytes.subarray(0, Math.max(0, bytes.length - LAST_LINE_BYTES));
  if (!equalBytes(bytes.subarray(lines.length), utf8(`${digestHex(sha256(lines))}\n`))) return undefined;
  const index = readLines(new TextDecoder().decode(lines).split('\n').slice(0, -1));
  return index !== undefined && equalBytes(encodeLayerIndex(index), bytes) ? index : undefined;
}

function readLines(texts: readonly string[]): LayerIndex | undefined {
  try {
    const [head, ...lines] = texts.map((text) => objectIn(text));
    const { blob, diffId } = head ?? {};
    if (!isDigest(blob) || (diffId !== null && !isDigest(diffId))) return undefined;
    const entries = lines.flatMap((line) => entryOf(line) ?? []);
    return { blob, diffId: diffId ?? undefined, entries };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof SealaneError) return undefined;
    throw error;
  }
}

/** @throws SyntaxError */
function objectIn(text: string): JsonObject {
  const value = JSON.parse(text) as JsonValue;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function entryOf(line: JsonObject): IndexedEntry | undefined {
  const { kind, name, mode, mtime, size, sha256: hash, target, capability } = line;
  if (!isKind(kind) || typeof name !== 'string' || typeof mode !== 'number') return undefined;
  const digest = typeof hash === 'string' ? { digest: digestFromHex(hash) } : {};
  return {
    kind,
    name,
    linkTarget: typeof target === 'string' ? target : '',
    mode,
    sizeBytes: typeof size === 'number' ? size : 0,
    modifiedSeconds: typeof mtime === 'number' ? mtime : null,
    capability: capability === true,
    ...digest,
  };
}

const isKind = (value: JsonValue | undefined): value is TarEntryKind => typeof value === 'string' && KINDS.includes(value);
