/** Takes an export apart again: the package that it was made from. Nothing is verified here. */
import { type Digest, digestFromHex, fromUtf8, parseCheckpoint, parseTlogProof, SealaneError } from '@sealane/core';
import { type ExportedStatement, type ExportPackage, stemOf } from './export-package.js';
import { malformed, parseExportManifest } from './manifest.js';
import type { ExportFiles } from './render.js';

const BUNDLE = /^statements\/(\d{8,15})\.bundle\.json$/;

/** @throws AuditorError `EXPORT_MALFORMED` a file is missing or is not what its name says */
export function unpackExport(files: ExportFiles): ExportPackage {
  try {
    return {
      manifest: parseExportManifest(fileOf(files, 'manifest.json')),
      checkpoint: fromUtf8(fileOf(files, 'log/checkpoint')),
      notes: below(files, 'log/checkpoints/')
        .map(([, bytes]) => fromUtf8(bytes))
        .sort((a, b) => parseCheckpoint(a).size - parseCheckpoint(b).size),
      statements: statementsIn(files),
      blobs: new Map(below(files, 'blobs/').map(([name, bytes]) => [blobDigest(name), bytes])),
      trust: new Map(below(files, 'trust/')),
      tiles: new Map(below(files, 'log/tile/').map(([name, bytes]) => [`tile/${name}`, bytes])),
    };
  } catch (error) {
    if (!(error instanceof SealaneError) || error.code === 'EXPORT_MALFORMED') throw error;
    throw malformed('files as their names say', error.message, error);
  }
}

function fileOf(files: ExportFiles, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw malformed(name, 'no such file');
  return bytes;
}

function below(files: ExportFiles, folder: string): readonly (readonly [name: string, bytes: Uint8Array])[] {
  return [...files].flatMap(([name, bytes]) => (name.startsWith(folder) ? [[name.slice(folder.length), bytes] as const] : []));
}

function statementsIn(files: ExportFiles): readonly ExportedStatement[] {
  const statements = [...files].flatMap(([name, bundle]): readonly ExportedStatement[] => {
    const [, digits] = BUNDLE.exec(name) ?? [];
    if (digits === undefined) return [];
    const index = Number(digits);
    const { hashes, checkpoint } = parseTlogProof(fileOf(files, `${stemOf(index)}.first.tlog-proof`));
    return [{ index, bundle, first: { hashes, note: checkpoint } }];
  });
  return statements.sort((a, b) => a.index - b.index);
}

function blobDigest(name: string): Digest {
  return digestFromHex(name);
}
