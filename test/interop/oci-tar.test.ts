/** Our tars against GNU tar: it writes the same bytes for the same entries, and reads what we write. */
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { extractLayer, packTar, readFolder } from '@sealane/oci';
import { describe, expect, test } from 'vitest';
import { requireProgram } from '../support/require-program.js';
import { tempFolder } from '../support/temp-folder.js';

const tar = requireProgram('tar');

async function folder(): Promise<string> {
  const dir = join(await tempFolder(), 'in');
  await mkdir(join(dir, 'd'), { recursive: true });
  await writeFile(join(dir, 'a'), 'x\n');
  await writeFile(join(dir, 'd', 'run'), '#!/bin/sh\n');
  await chmod(join(dir, 'd', 'run'), 0o755);
  await chmod(join(dir, 'd'), 0o755);
  await symlink('../a', join(dir, 'd', 'l'));
  return dir;
}

async function packed(dir: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packTar(await readFolder(dir))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.skipIf(tar === undefined)('GNU tar (skipped without tar)', () => {
  test('writes the same bytes for the same folder', async () => {
    const dir = await folder();
    const options = ['--format=ustar', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--sort=name', '-b', '1'];
    const theirs = execFileSync(tar ?? '', [...options, '-cf', '-', '-C', dir, 'a', 'd']);
    expect((await packed(dir)).equals(theirs)).toBe(true);
  });

  test('reads names that need pax', async () => {
    const dir = await folder();
    const name = `${'g'.repeat(120)}-größe-传感器`;
    await writeFile(join(dir, name), 'long\n');
    const out = await tempFolder();
    execFileSync(tar ?? '', ['-xf', '-', '-C', out], { input: await packed(dir) });
    expect(await readFile(join(out, name), 'utf8')).toBe('long\n');
    expect(await readlink(join(out, 'd', 'l'))).toBe('../a');
  });

  test.for(['gnu', 'pax', 'ustar'])('writes %s archives that we unpack', async (format) => {
    const dir = await folder();
    const home = await tempFolder();
    const names = ['.'];
    if (format !== 'ustar') await writeFile(join(dir, 'd', 'n'.repeat(200)), 'long\n');
    execFileSync(tar ?? '', [`--format=${format}`, '-czf', join(home, 'x.tar.gz'), '-C', dir, ...names]);
    await extractLayer(createReadStream(join(home, 'x.tar.gz')), join(home, 'out'));
    expect(await packed(join(home, 'out'))).toEqual(await packed(dir));
    // and nothing of a tar is left in the way of a second one
    await extractLayer(Readable.from([await packed(dir)]), join(home, 'again'));
    expect(await packed(join(home, 'again'))).toEqual(await packed(dir));
  });
});
