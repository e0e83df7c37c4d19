/** Exports on disk: one deterministic tar, written whole or not at all, read within bounds. */
import { randomBytes } from 'node:crypto';
import { closeSync, createReadStream, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { AuditorError, createDigester, type Digest, diskRefusal, OciError } from '@sealane/core';
import { DEFAULT_UNPACK_LIMITS, packedFile, packTar, readTar, type UnpackLimits } from '@sealane/oci';
import { malformed } from './manifest.js';
import type { ExportFiles } from './render.js';

/** It is held in memory while it is checked. */
const LIMITS_OF_EXPORT: UnpackLimits = { ...DEFAULT_UNPACK_LIMITS, maxTotalBytes: 2 * 1024 ** 3, maxEntries: 1_000_000, maxDepth: 16 };

/** What was written. */
export interface WrittenExport {
  readonly out: string;
  readonly digest: Digest;
  readonly bytes: number;
}

/** Writes a tar of the files. @throws AuditorError `USAGE` there is a file already, or no folder for it; CoreError `STATE_UNWRITABLE` the disk refused */
export async function writeExport(out: string, files: ExportFiles): Promise<WrittenExport> {
  if (existsSync(out))
    throw new AuditorError(
      'USAGE',
      `write the export ${out}: expected no file there, got one`,
      { out },
      { hint: 'name another file with --out' },
    );
  if (!existsSync(path.dirname(out))) {
    const hint = 'make the folder, or name another file with --out';
    throw new AuditorError('USAGE', `write the export ${out}: expected the folder ${path.dirname(out)}, got none`, { out }, { hint });
  }
  const size = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  if (size > LIMITS_OF_EXPORT.maxTotalBytes) {
    const hint = 'export a shorter period, or each release by itself';
    const message = `write the export ${out}: expected at most ${LIMITS_OF_EXPORT.maxTotalBytes} bytes, which is what a reader takes, got ${size}`;
    throw new AuditorError('USAGE', message, { out, size }, { hint });
  }
  // the folder may be one in which others write too: a name that nobody can know, and no link that lies there is opened
  const temporary = path.join(path.dirname(out), `.${path.basename(out).slice(0, 50)}.${randomBytes(16).toString('hex')}.tmp`);
  const digester = createDigester();
  let bytes = 0;
  const handle = openSync(temporary, 'wx', 0o644);
  try {
    for await (const chunk of packed(files)) {
      digester.update(chunk);
      for (let done = 0; done < chunk.length;) done += writeSync(handle, chunk, done);
      bytes += chunk.length;
    }
    fsyncSync(handle);
    renameSync(temporary, out);
  } catch (error) {
    throw diskRefusal(error, `write the export ${out}`) ?? error;
  } finally {
    closeSync(handle);
    rmSync(temporary, { force: true });
  }
  syncFolder(path.dirname(out));
  return { out, digest: digester.finish(), bytes };
}

/**
 * Reads the files of an export.
 *
 * @throws AuditorError `CONFIG_INVALID` no such file; `EXPORT_MALFORMED` cut, no tar, links or folders in it, a name twice, or another packing of the same files
 */
export async function readExport(file: string): Promise<ExportFiles> {
  const kind = statSync(file, { throwIfNoEntry: false });
  if (kind === undefined || kind.isDirectory()) {
    const [got, hint] =
      kind === undefined ? ['none', 'check the path: nothing is there'] : ['a folder', 'name the tar that sealane audit export wrote'];
    throw new AuditorError('CONFIG_INVALID', `read the export ${file}: expected a file, got ${got}`, { file }, { hint });
  }
  try {
    return await filesOf(file);
  } catch (error) {
    if (error instanceof OciError) throw malformed(`the tar that was written, in ${file}`, error.message, error);
    throw error;
  }
}

async function filesOf(file: string): Promise<ExportFiles> {
  const digester = createDigester();
  const files = new Map<string, Uint8Array>();
  for await (const { kind, name, content } of readTar(hashing(createReadStream(file), digester), LIMITS_OF_EXPORT)) {
    if (kind !== 'file' || files.has(name)) throw malformed('plain files, each once', `${kind} ${name.slice(0, 80)}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    files.set(name, new Uint8Array(Buffer.concat(chunks)));
  }
  const again = createDigester();
  for await (const chunk of packed(files)) again.update(chunk);
  // what lies between files is covered by no digest of theirs
  if (digester.finish() !== again.finish()) throw malformed('the tar that was written', 'other bytes around the same files');
  return files;
}

function packed(files: ExportFiles): AsyncIterable<Uint8Array> {
  return packTar([...files].map(([name, bytes]) => packedFile(name, bytes)));
}

async function* hashing(source: AsyncIterable<Buffer>, digester: ReturnType<typeof createDigester>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    digester.update(chunk);
    yield chunk;
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
