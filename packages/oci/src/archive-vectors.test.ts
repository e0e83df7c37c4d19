/** Walks the archive vectors: every archive is accepted exactly as told, or refused with nothing left behind. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SealaneError } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { extractLayer } from './extract.js';

const FOLDER = fileURLToPath(new URL('../../../test/vectors/archives', import.meta.url));

const OnDisk = z.strictObject({
  path: z.string(),
  type: z.enum(['file', 'dir', 'symlink']),
  mode: z.string().optional(),
  size: z.number().optional(),
  sha256: z.string().optional(),
  target: z.string().optional(),
});
type OnDisk = z.infer<typeof OnDisk>;
const Manifest = z.object({
  limits: z.strictObject({
    maxTotalBytes: z.number(),
    maxEntries: z.number(),
    maxNameBytes: z.number(),
    maxPathBytes: z.number(),
    maxDepth: z.number(),
    maxPaxBytes: z.number(),
  }),
  cases: z.array(
    z.object({
      file: z.string(),
      expect: z.string(),
      why: z.string(),
      onDisk: z.array(OnDisk).optional(),
      lower: z.array(OnDisk).default([]),
    }),
  ),
});

const { limits, cases } = Manifest.parse(JSON.parse(await readFile(join(FOLDER, 'manifest.json'), 'utf8')));

let work = '';
beforeAll(async () => {
  // In memory where there is such a disk: ext4 without a journal takes 10 times as long to make 20,000 files.
  work = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-archives-'));
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

async function layLower(root: string, entries: readonly OnDisk[]): Promise<void> {
  for (const entry of entries) {
    const path = join(root, entry.path);
    if (entry.type === 'dir') await mkdir(path, { recursive: true });
    else if (entry.type === 'file') await writeFile(path, 'x\n');
    else await symlink(entry.target ?? '', path);
  }
}

/** Everything below a folder, as the manifest words it. */
async function listing(root: string, at = ''): Promise<OnDisk[]> {
  const found: OnDisk[] = [];
  for (const name of await readdir(join(root, at))) {
    const path = join(at, name);
    const full = join(root, path);
    const info = await lstat(full);
    if (info.isDirectory()) found.push({ path, type: 'dir' }, ...(await listing(root, path)));
    else if (info.isSymbolicLink()) found.push({ path, type: 'symlink', target: await readlink(full) });
    else {
      const sha256 = createHash('sha256')
        .update(await readFile(full))
        .digest('hex');
      found.push({ path, type: 'file', mode: (info.mode & 0o7777).toString(8).padStart(4, '0'), size: info.size, sha256 });
    }
  }
  return found;
}

/** The manifest's list with the folders that it implies. */
function withParents(entries: readonly OnDisk[]): OnDisk[] {
  const all = new Map(entries.map((entry) => [entry.path, entry]));
  for (const entry of entries) {
    for (let path = dirname(entry.path); path !== '.'; path = dirname(path)) {
      if (!all.has(path)) all.set(path, { path, type: 'dir' });
    }
  }
  return [...all.values()];
}

const byPath = (entries: readonly OnDisk[]): OnDisk[] => entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));

async function outcomeOf(file: string, root: string): Promise<string> {
  try {
    await extractLayer(createReadStream(join(FOLDER, file)), root, { limits });
    return 'accept';
  } catch (error) {
    if (error instanceof SealaneError) return error.code;
    throw error;
  }
}

describe('archive vectors', () => {
  test('there are 97 of them, 19 to accept', () => {
    expect(cases).toHaveLength(97);
    expect(cases.filter((row) => row.expect === 'accept')).toHaveLength(19);
  });

  test.for(cases)('$file: $expect, $why', async (row) => {
    const home = await mkdtemp(join(work, 'case-'));
    const root = join(home, 'root');
    const outside = join(home, 'outside');
    await mkdir(root);
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret', { mode: 0o600 });
    await chmod(outside, 0o755);
    await layLower(root, row.lower);
    const outsideBefore = await listing(outside);

    const outcome = await outcomeOf(row.file, root);

    // `alsoAllowed` would be as safe, but we give the first choice everywhere: a change of that should be seen.
    expect(outcome).toBe(row.expect);
    if (outcome === 'accept') expect(byPath(await listing(root))).toEqual(byPath(withParents(row.onDisk ?? [])));
    else await expect(stat(root)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await listing(outside)).toEqual(outsideBefore);
    expect((await stat(join(outside, 'secret'))).nlink).toBe(1);
    expect(await readdir(home)).toEqual(outcome === 'accept' ? ['outside', 'root'] : ['outside']);
  });
});
