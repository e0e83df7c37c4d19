/** Names of files in a TUF repository, with and without consistent snapshots (TUF 6.2). */
import { type Hashes, namingHash } from './file-hash.js';

/**
 * A role's file name in `metadata/`: `8.snapshot.json` with a version (consistent snapshots), `timestamp.json` without. The role is percent-encoded: a name like
 * `../root` stays one file in that folder.
 */
export function metadataFileName(role: string, version: number | undefined): string {
  return `${version === undefined ? '' : `${version}.`}${encodeRole(role)}.json`;
}

/** A target's file name in `targets/` under consistent snapshots: `channel/HASH.prod.json`. */
export function targetFileName(path: string, hashes: Hashes): string {
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}${namingHash(hashes)}.${path.slice(slash)}`;
}

/** RFC 3986 percent-encoding of everything but unreserved characters. */
export function encodeRole(role: string): string {
  return encodeURIComponent(role).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
