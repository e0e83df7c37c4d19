/** What an export is made of: all that is signed, hashed or named by digest. Every other file in it is made from this. */
import type { Digest } from '@sealane/core';
import type { ExportManifest } from './manifest.js';

/** A logged statement. `bundle` is a Sigstore bundle (canonical JSON) with its proof under the export's checkpoint. */
export interface ExportedStatement {
  readonly index: number;
  readonly bundle: Uint8Array;
  /** Its proof under the first checkpoint that witnesses saw it in: hashes, leaf upwards, and the note. */
  readonly first: { readonly hashes: readonly Uint8Array[]; readonly note: string };
}

export interface ExportPackage {
  readonly manifest: ExportManifest;
  /** The cosigned checkpoint, a signed note, that everything is proved under. */
  readonly checkpoint: string;
  /** Earlier ones, each of another size, smallest first: those of `first`, and that with which a period begins. */
  readonly notes: readonly string[];
  /** By index. */
  readonly statements: readonly ExportedStatement[];
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  /** Files of the lane's TUF repository, by path. */
  readonly trust: ReadonlyMap<string, Uint8Array>;
  /** Of a period: hash tiles of the log, by path. */
  readonly tiles: ReadonlyMap<string, Uint8Array>;
}

/** The stem of the files of a statement. */
export function stemOf(index: number): string {
  return `statements/${String(index).padStart(8, '0')}`;
}

/** Where an earlier checkpoint lies. */
export function notePath(size: number): string {
  return `log/checkpoints/${String(size).padStart(8, '0')}`;
}
