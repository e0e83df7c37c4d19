/** Restores a backup: every file is checked against the manifest while it is laid down, then the ledger is verified as a whole. */
import { chmodSync, createReadStream, lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { createDigester, type Digest, parseCheckpoint, PromoterError, SealaneError, fromUtf8 } from '@sealane/core';
import { archivePlaces, type Unseen, verifyLedger } from '@sealane/ledger';
import { DEFAULT_UNPACK_LIMITS, readTar, syncTree, type TarEntry, type UnpackLimits } from '@sealane/oci';
import { isNotFound, PRIVATE_FILE, PUBLIC_FILE, readNamed, syncFolder } from '../disk-shell.js';
import { homeAt } from '../home.js';
import { newestVersionOf } from '../trust/publish-lane.js';
import { type BackupFile, type BackupManifest, malformed, MANIFEST_NAME, MAX_MANIFEST_BYTES, parseManifest } from './manifest.js';

/** The lane that is published now, where one was named. */
export interface PublishedLane {
  /** Of its log, and whether the restored ledger is behind that. */
  readonly size: number;
  readonly isAhead: boolean;
  /** Of its timestamp, and whether that of the restored lane is below: sites take no lower one. */
  readonly version: number;
  readonly isNewer: boolean;
}

/** What was restored. Times in milliseconds. */
export interface RestoredHome {
  readonly home: string;
  readonly origin: string;
  readonly size: number;
  readonly madeAt: string;
  readonly files: number;
  readonly bytes: number;
  /** Where the ledger was kept; here it is in SQLite. */
  readonly ledgerFrom: BackupManifest['ledger'];
  /** Private keys that were not in the backup. */
  readonly leftOut: readonly string[];
  /** Entries of which the archive was not seen. */
  readonly unseen: Unseen | null;
  readonly published: PublishedLane | null;
  readonly tookMs: { readonly unpack: number; readonly verify: number };
}

/** How to restore. `published` is the folder of the lane as sites see it, where it is still there. */
export interface RestoreWish {
  readonly file: string;
  readonly folder: string;
  readonly published?: string;
  /** The digest of the whole file, as `backup` said it and somebody kept it apart. */
  readonly digest?: Digest;
  readonly signal: AbortSignal;
  /** A clock that never goes back, in milliseconds. */
  readonly uptimeMs: () => number;
}

/** A lane of terabytes in a million files; each is checked against the manifest as it comes, so the bound is only against nonsense. */
const LIMITS: UnpackLimits = { ...DEFAULT_UNPACK_LIMITS, maxTotalBytes: 64 * 1024 ** 4, maxEntries: 1_000_001 };

/**
 * Restores into a folder that is empty or not there. Nothing is at `folder` before everything is checked; on failure nothing is left.
 *
 * @throws PromoterError `USAGE` the folder is not empty; `CONFIG_INVALID` no such file; `BACKUP_MALFORMED` cut, altered or no backup;
 * `LEDGER_DAMAGED` the ledger in it does not verify
 */
export async function restoreBackup({ file, folder, published, digest, signal, uptimeMs }: RestoreWish): Promise<RestoredHome> {
  expectEmpty(folder);
  expectToTakeItsPlace(folder);
  const there = published === undefined ? undefined : seenIn(published);
  mkdirSync(path.dirname(folder), { recursive: true });
  const work = mkdtempSync(path.join(path.dirname(folder), '.sealane-restore-'));
  try {
    const started = uptimeMs();
    const { manifest, digest: got } = await unpack(file, work, signal);
    // before anything in it is acted on: it names places of an archive, which are asked when the ledger is verified
    if (digest !== undefined && got !== digest) throw malformed(`a file of digest ${digest}`, got);
    await syncTree(work);
    const unpacked = uptimeMs();
    const unseen = await expectSound(path.join(work, 'ledger', 'ledger.sqlite'), manifest);
    const verified = uptimeMs();
    // as `init` leaves a home: whoever serves the lane may enter it
    chmodSync(work, 0o755);
    moveTo(work, folder);
    syncFolder(path.dirname(folder));
    const { origin, size, madeAt, files, ledger, leftOut } = manifest;
    return {
      home: folder,
      origin,
      size,
      madeAt,
      files: files.length,
      bytes: files.reduce((sum, each) => sum + each.size, 0),
      ledgerFrom: ledger,
      leftOut,
      unseen,
      published: there === undefined ? null : beside(there, { size, version: newestVersionOf(homeAt(folder)) }),
      tookMs: { unpack: Math.round(unpacked - started), verify: Math.round(verified - unpacked) },
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

type Seen = Pick<PublishedLane, 'size' | 'version'>;

function seenIn(lane: string): Seen {
  const checkpoint = fromUtf8(readNamed(path.join(lane, 'log', 'checkpoint'), 'checkpoint'));
  return { size: parseCheckpoint(checkpoint).size, version: newestVersionOf({ trust: path.join(lane, 'trust') }) };
}

function beside(there: Seen, here: Seen): PublishedLane {
  return { ...there, isAhead: there.size > here.size, isNewer: there.version > here.version };
}

/** The restored folder is moved there whole, which no link and no mount point gives way to: better told before than after a terabyte. */
function expectToTakeItsPlace(folder: string): void {
  const kind = lstatSync(folder, { throwIfNoEntry: false });
  if (kind === undefined) return;
  if (!kind.isDirectory()) throw immovable(folder, 'a link');
  if (kind.dev !== statSync(path.dirname(folder)).dev) throw immovable(folder, 'a mount point');
}

function moveTo(work: string, folder: string): void {
  try {
    renameSync(work, folder);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    // a folder that is mounted over another of the same disk
    if (code === 'EBUSY' || code === 'EXDEV') throw immovable(folder, 'a mount point', cause);
    throw cause;
  }
}

function immovable(folder: string, got: string, cause?: unknown): PromoterError {
  return new PromoterError(
    'USAGE',
    `restore into ${folder}: expected an empty or missing folder, got ${got}`,
    { folder },
    { ...(cause === undefined ? {} : { cause }), hint: 'name a folder in it with --home, one that is not there yet' },
  );
}

function expectEmpty(folder: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    const why = error instanceof Error ? error.message : String(error);
    throw new PromoterError(
      'USAGE',
      `restore into ${folder}: expected an empty or missing folder, got: ${why}`,
      { folder },
      { cause: error },
    );
  }
  if (names.length === 0) return;
  throw new PromoterError(
    'USAGE',
    `restore into ${folder}: expected an empty or missing folder, got one with ${names.length} entries`,
    { folder },
    { hint: 'name another folder with --home; nothing is restored over a home that is there' },
  );
}

async function unpack(
  file: string,
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly manifest: BackupManifest; readonly digest: Digest }> {
  const digester = createDigester();
  const source = createReadStream(file);
  const chunks = hashed(source[Symbol.asyncIterator]() as AsyncIterator<Buffer>, digester);
  try {
    const entries = readTar({ [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) }, LIMITS);
    const first = await entries.next();
    if (first.done === true) throw malformed(MANIFEST_NAME, 'an empty archive');
    const manifest = parseManifest(await manifestBytes(first.value));
    const wanted = manifest.files.values();
    for await (const entry of entries) {
      signal.throwIfAborted();
      await layDown(entry, wanted.next().value, folder);
    }
    const missing = wanted.next().value;
    if (missing !== undefined) throw malformed(missing.name, 'the end');
    // what lies behind the end of the tar is of the file too
    while ((await chunks.next()).done !== true);
    return { manifest, digest: digester.finish() };
  } catch (cause) {
    if (isNotFound(cause)) {
      const hint = 'check the path: nothing is there';
      throw new PromoterError('CONFIG_INVALID', `read backup ${file}: expected a file, got none`, { file }, { cause, hint });
    }
    if (cause instanceof Error && 'code' in cause && cause.code === 'EISDIR') {
      const hint = 'name the file that sealane backup wrote';
      throw new PromoterError('CONFIG_INVALID', `read backup ${file}: expected a file, got a folder`, { file }, { cause, hint });
    }
    // whatever the reader of tars or JSON objects to is the same to who restores: this is not what was written
    if (cause instanceof SealaneError && cause.code !== 'BACKUP_MALFORMED') throw malformed('what was written', cause.message, cause);
    throw cause;
  } finally {
    source.destroy();
  }
}

async function* hashed(source: AsyncIterator<Buffer>, digester: ReturnType<typeof createDigester>): AsyncGenerator<Buffer> {
  for (let next = await source.next(); next.done !== true; next = await source.next()) {
    digester.update(next.value);
    yield next.value;
  }
}

async function manifestBytes({ name, kind, sizeBytes, content }: TarEntry): Promise<Uint8Array> {
  if (kind !== 'file' || name !== MANIFEST_NAME) throw malformed(`${MANIFEST_NAME} first`, `${kind} ${JSON.stringify(name)}`);
  if (sizeBytes > MAX_MANIFEST_BYTES) throw malformed(`at most ${MAX_MANIFEST_BYTES} bytes of manifest`, `${sizeBytes}`);
  const chunks: Uint8Array[] = [];
  // chunks are only valid until the next one
  for await (const chunk of content) chunks.push(new Uint8Array(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

/** Names are those of the manifest, which takes no other than a home has: an archive leads nowhere else. */
async function layDown(entry: TarEntry, wanted: BackupFile | undefined, folder: string): Promise<void> {
  if (wanted === undefined) throw malformed('the end', JSON.stringify(entry.name));
  if (entry.kind !== 'file' || entry.name !== wanted.name)
    throw malformed(`file ${wanted.name}`, `${entry.kind} ${JSON.stringify(entry.name)}`);
  if (entry.sizeBytes !== wanted.size) throw malformed(`${wanted.size} bytes of ${wanted.name}`, `${entry.sizeBytes}`);
  const target = path.join(folder, wanted.name);
  const isPublic = /^(?:lane\/|pipeline\.yaml$|log\.vkey$)/.test(wanted.name);
  mkdirSync(path.dirname(target), { recursive: true, mode: isPublic ? 0o755 : 0o700 });
  const handle = await open(target, 'wx', isPublic ? PUBLIC_FILE : PRIVATE_FILE);
  try {
    const digester = createDigester();
    for await (const chunk of entry.content) {
      digester.update(chunk);
      for (let done = 0; done < chunk.length;) done += (await handle.write(chunk, done)).bytesWritten;
    }
    const digest = digester.finish();
    if (digest !== wanted.digest) throw malformed(`${wanted.name} with ${wanted.digest}`, digest);
  } finally {
    await handle.close();
  }
}

/** What the archive holds is no part of a backup, and may not be at hand on the machine that it is restored on: it is told. */
async function expectSound(file: string, { origin, size, checkpoint }: BackupManifest): Promise<Unseen | null> {
  const report = await verifyLedger({ file, archive: archivePlaces(file), origin, ...(checkpoint === null ? {} : { checkpoint }) });
  const [problem] = report.problems;
  if (problem === undefined && report.size === size) return report.unseen;
  const { where, key, expected, actual } = problem ?? { where: 'log', key: 'size', expected: `${size}`, actual: `${report.size}` };
  throw new PromoterError('LEDGER_DAMAGED', `restore the ledger of ${origin}: at ${where} ${key} expected ${expected}, got ${actual}`, {
    problems: report.problems.length,
  });
}
