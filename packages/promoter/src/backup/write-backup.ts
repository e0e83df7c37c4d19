/** Writes a backup: a manifest and the files it lists, as one tar. */
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { createDigester, type Digest, fromUtf8, PromoterError, SealaneError } from '@sealane/core';
import { archivePlaces, type LedgerPlace, type Unseen, verifyLedger } from '@sealane/ledger';
import { packedFile, type PackEntry, packTar } from '@sealane/oci';
import { isNotFound, PRIVATE_FILE, syncFolder } from '../disk-shell.js';
import { VERSION } from '../version.js';
import { type HomeFile, type HomeSnapshot, snapshotHome } from './home-files.js';
import { type BackupFile, type BackupManifest, byBytes, encodeManifest, MANIFEST_NAME } from './manifest.js';
import type { StillHome } from './still-home.js';

/** What was written. `digest` is that of the file itself: kept apart, it shows later that it is the same backup. */
export interface WrittenBackup {
  readonly out: string;
  readonly digest: Digest;
  readonly bytes: number;
  readonly files: number;
  readonly origin: string;
  readonly size: number;
  readonly leftOut: readonly string[];
  /** Entries of which the archive was not seen. */
  readonly unseen: Unseen | null;
}

/** How to back up. `standStill` runs its work while nobody logs or publishes; the copying itself is done after that. */
export interface BackupWish {
  readonly out: string;
  readonly keys: 'sealed-keys' | 'no-keys';
  readonly now: () => string;
  readonly signal: AbortSignal;
  readonly standStill: <T>(work: (still: StillHome) => Promise<T>) => Promise<T>;
}

const HEX_NAME = /^lane\/content\/blobs\/sha256\/([0-9a-f]{64})$/;

/**
 * Writes the file durably, for its owner only. Until it is whole nothing is at `out`; on failure nothing is left.
 *
 * @throws PromoterError `USAGE` there is a file; `CONFIG_INVALID` there is no folder for it; `KEY_UNSEALED`; `CONTENT_DIGEST` a blob of the lane is rotten; `CONTENT_MISSING` one was removed
 * meanwhile; LedgerError `LEDGER_DAMAGED` the ledger does not verify
 */
export async function writeBackup({ out, keys, now, signal, standStill }: BackupWish): Promise<WrittenBackup> {
  refuseToReplace(out);
  expectFolder(out);
  // beside the file, where there is room for it and from where it can be renamed; 0700, as mkdtemp makes it
  const work = mkdtempSync(path.join(path.dirname(out), '.sealane-backup-'));
  try {
    const ledgerCopy = path.join(work, 'ledger.sqlite');
    const taken = await standStill(async (still) => ({
      archive: archivePlaces(still.home.ledger),
      snapshot: await snapshotHome(still, ledgerCopy, keys),
      origin: still.ledger.origin,
      ledger: still.keptIn,
      madeAt: now(),
    }));
    const { snapshot, archive, ...about } = taken;
    const { size, unseen } = await verifiedCopy({ file: ledgerCopy, archive }, about.origin, snapshot);
    const files = await listed(snapshot.files, signal);
    const manifest: BackupManifest = {
      apiVersion: 'sealane/v1',
      kind: 'Backup',
      ...about,
      madeBy: VERSION,
      size,
      checkpoint: snapshot.checkpoint === undefined ? null : fromUtf8(snapshot.checkpoint),
      leftOut: snapshot.leftOut.toSorted(byBytes),
      files: files.map(({ file }) => file),
    };
    const whole = path.join(work, 'backup.tar');
    const written = await writeTar(
      whole,
      [packedFile(MANIFEST_NAME, encodeManifest(manifest)), ...files.map(({ entry }) => entry)],
      signal,
    );
    refuseToReplace(out);
    renameSync(whole, out);
    syncFolder(path.dirname(out));
    return { out, ...written, files: files.length, origin: about.origin, size, leftOut: manifest.leftOut, unseen };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function refuseToReplace(out: string): void {
  if (!existsSync(out)) return;
  throw new PromoterError(
    'USAGE',
    `write backup ${out}: expected no file there, got one`,
    { out },
    { hint: 'name another file with --out' },
  );
}

/** A folder that is not there may be a disk that is not mounted: making it would put the backup where nobody looks for it. */
function expectFolder(out: string): void {
  if (existsSync(path.dirname(out))) return;
  throw new PromoterError(
    'CONFIG_INVALID',
    `write backup ${out}: expected the folder ${path.dirname(out)}, got none`,
    { out },
    { hint: 'check that its disk is mounted, or make the folder' },
  );
}

/** A backup that could not be restored is none: the copy is verified before it counts. What an archive has is not in it, and may be away. */
async function verifiedCopy(
  place: LedgerPlace,
  origin: string,
  { checkpoint }: HomeSnapshot,
): Promise<{ readonly size: number; readonly unseen: Unseen | null }> {
  const report = await verifyLedger({ ...place, origin, ...(checkpoint === undefined ? {} : { checkpoint: fromUtf8(checkpoint) }) });
  const [problem] = report.problems;
  if (problem === undefined) return { size: report.size, unseen: report.unseen };
  throw new PromoterError(
    'LEDGER_DAMAGED',
    `back up the ledger of ${origin}: at ${problem.where} ${problem.key} expected ${problem.expected}, got ${problem.actual}`,
    { problems: report.problems.length },
  );
}

interface Listed {
  readonly file: BackupFile;
  readonly entry: PackEntry;
}

async function listed(files: readonly HomeFile[], signal: AbortSignal): Promise<readonly Listed[]> {
  const all: Listed[] = [];
  for (const { name, open: openFile } of files.toSorted((a, b) => byBytes(a.name, b.name))) {
    signal.throwIfAborted();
    const { digest, size } = await hashed(name, openFile());
    const [, named] = HEX_NAME.exec(name) ?? [];
    if (named !== undefined && digest !== `sha256:${named}`) throw rotten(name, `sha256:${named}`, digest);
    all.push({
      file: { name, size, digest },
      entry: { kind: 'file', path: name, executable: 'no', sizeBytes: size, open: () => same(openFile(), name, digest) },
    });
  }
  return all;
}

async function hashed(name: string, content: AsyncIterable<Uint8Array>): Promise<Pick<BackupFile, 'digest' | 'size'>> {
  const digester = createDigester();
  let size = 0;
  try {
    for await (const chunk of content) {
      digester.update(chunk);
      size += chunk.length;
    }
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new PromoterError(
      'CONTENT_MISSING',
      `back up ${name}: expected it to stay, it was removed meanwhile`,
      { name },
      { cause, hint: 'run the command again' },
    );
  }
  return { digest: digester.finish(), size };
}

/** The content once more, which must be what the manifest says. */
async function* same(content: AsyncIterable<Uint8Array>, name: string, digest: Digest): AsyncGenerator<Uint8Array> {
  const digester = createDigester();
  for await (const chunk of content) {
    digester.update(chunk);
    yield chunk;
  }
  const got = digester.finish();
  if (got !== digest) throw rotten(name, digest, got);
}

function rotten(name: string, expected: string, got: string): SealaneError {
  return new PromoterError('CONTENT_DIGEST', `back up ${name}: expected ${expected}, got ${got}`, { name });
}

async function writeTar(
  file: string,
  entries: readonly PackEntry[],
  signal: AbortSignal,
): Promise<Pick<WrittenBackup, 'digest' | 'bytes'>> {
  const digester = createDigester();
  let bytes = 0;
  const handle = await open(file, 'wx', PRIVATE_FILE);
  try {
    for await (const chunk of packTar(entries)) {
      signal.throwIfAborted();
      digester.update(chunk);
      for (let done = 0; done < chunk.length;) done += (await handle.write(chunk, done)).bytesWritten;
      bytes += chunk.length;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { digest: digester.finish(), bytes };
}
