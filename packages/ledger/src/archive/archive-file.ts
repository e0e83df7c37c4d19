/** `HOME/ledger/archive.json`: the places where archived payloads of a ledger lie. Every pack is in one of them at least. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson, LedgerError, parseStrictJson } from '@sealane/core';
import { writeDurably } from '../durable-write.js';

/** The file's name, beside the ledger's own. */
const FILE_NAME = 'archive.json';
/** A few names of folders and repositories. */
const MAX_BYTES = 16 * 1024;
const MAX_DEPTH = 4;
/** More copies than anybody keeps. */
const MAX_PLACES = 16;

/** Where `archive.json` lies for the ledger of `file`. */
export function archiveFile(file: string): string {
  return path.join(path.dirname(file), FILE_NAME);
}

/** The places of the ledger of `file`, none where it has no archive. @throws LedgerError `CONFIG_INVALID`; CoreError `JSON_*` */
export function archivePlaces(file: string): readonly string[] {
  const named = archiveFile(file);
  try {
    return parseArchive(new Uint8Array(readFileSync(named)), named);
  } catch (error) {
    // most ledgers have no archive
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
}

/**
 * Reads `archive.json`: `oci:DIR` (relative to its folder) and `docker://HOST/REPOSITORY`.
 *
 * @throws LedgerError `CONFIG_INVALID` an unknown field, no place, or a text that names none; CoreError `JSON_*`
 */
export function parseArchive(bytes: Uint8Array, file: string): readonly string[] {
  const root = parseStrictJson(bytes, { maxBytes: MAX_BYTES, maxDepth: MAX_DEPTH });
  if (typeof root !== 'object' || root === null || Array.isArray(root)) throw wrong(file, 'an object');
  const { apiVersion, kind, places, ...unknown } = root as Record<string, unknown>;
  const [other] = Object.keys(unknown);
  if (other !== undefined) throw wrong(file, `no field ${JSON.stringify(other.slice(0, 80))}`);
  if (apiVersion !== 'sealane/v1' || kind !== 'Archive') throw wrong(file, 'sealane/v1 Archive');
  if (!Array.isArray(places) || places.length === 0 || places.length > MAX_PLACES) throw wrong(file, `1 to ${MAX_PLACES} places`);
  return places.map((place) => {
    if (typeof place !== 'string') throw wrong(file, 'places as text');
    return archivePlace(place, path.dirname(file));
  });
}

/** A place in one form: folders are absolute. @throws LedgerError `CONFIG_INVALID` */
export function archivePlace(text: string, folder: string): string {
  if (/^docker:\/\/[\x21-\x7e]{1,512}$/.test(text)) return text;
  const [, named] = /^oci:(\P{Cc}{1,4096})$/u.exec(text) ?? [];
  if (named === undefined) throw wrong(JSON.stringify(text.slice(0, 80)), 'a place such as oci:DIR or docker://HOST/REPOSITORY');
  return `oci:${path.resolve(folder, named)}`;
}

/** Adds places to the archive of the ledger of `file`; durable when it returns. @throws as `archivePlaces` */
export function keepArchivePlaces(file: string, places: readonly string[]): void {
  const known = archivePlaces(file);
  const all = [...new Set([...known, ...places])];
  if (all.length === known.length) return;
  if (all.length > MAX_PLACES) throw wrong(archiveFile(file), `at most ${MAX_PLACES} places`);
  const bytes = canonicalJson({ apiVersion: 'sealane/v1', kind: 'Archive', places: all });
  writeDurably({ path: archiveFile(file), bytes, mode: 0o644 });
}

function wrong(what: string, expected: string): LedgerError {
  return new LedgerError('CONFIG_INVALID', `read ${what}: expected ${expected}`, { what });
}
