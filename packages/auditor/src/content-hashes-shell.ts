/** Every blob of a lane's content under the digest that its bytes have: what is large is read piece by piece. */
import { readdirSync, readSync } from 'node:fs';
import path from 'node:path';
import { createDigester, type Digest } from '@sealane/core';
import type { HashedFile } from './answers/lane-files.js';
import { withRegularFile } from './regular-file-shell.js';

/** A piece of a blob: larger ones are read no faster. */
const PIECE_BYTES = 1024 * 1024;

/** The files of `content/blobs/sha256`, each hashed when its turn comes; none where there is no such folder. */
export function* hashedContent(content: string): Generator<HashedFile> {
  const folder = path.join(content, 'blobs', 'sha256');
  const piece = new Uint8Array(PIECE_BYTES);
  for (const name of namesIn(folder)) yield { name, digest: digestOf(path.join(folder, name), piece) };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    // a copy without content has none: what is missing of what is offered is named
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** The digest of a file; undefined where it is gone since, or is no file. */
function digestOf(file: string, piece: Uint8Array): Digest | undefined {
  try {
    return withRegularFile(file, (handle) => {
      const running = createDigester();
      for (let read = readSync(handle, piece); read > 0; read = readSync(handle, piece)) running.update(piece.subarray(0, read));
      return running.finish();
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
