import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, type Digest, digestHex, sha256, utf8 } from '@sealane/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.js';
import { buildImage, buildLayer } from './build-image.js';
import { descriptorJson } from './descriptor.js';
import { childrenOf, parseManifest } from './manifest.js';
import { OCI_CONFIG, OCI_LAYER_TAR, OCI_MANIFEST } from './media-types.js';
import { flattenImage } from './flatten.js';
import { type Layout, openLayout } from './layout.js';
import { packedFile, type PackEntry } from './pack.js';
import { TAR_END, tarHeader, tarPadding } from './tar-writer.js';

const PLATFORM = { os: 'linux', architecture: 'amd64' };
const LARGE = 'x'.repeat(1_100_000);
const file = (path: string, text: string): PackEntry => packedFile(path, utf8(text));

const BASE: readonly PackEntry[] = [
  file('etc/conf', 'base'),
  file('etc/status', 'base only'),
  file('lib/large', LARGE),
  file('lib/empty', ''),
  { kind: 'symlink', path: 'lib/link', target: 'large' },
  { kind: 'dir', path: 'var' },
];

let layout: Layout;
let home: string;
let indexes: string;

beforeEach(async () => {
  home = await tempFolder();
  indexes = join(home, 'layers');
  layout = await openLayout(join(home, 'content'), { create: 'if-missing' });
});

const image = async (...layers: (readonly PackEntry[])[]): Promise<Digest> =>
  (await buildImage(layout, { platform: PLATFORM, layers })).digest;

/** An image whose second layer is a tar that need not be honest. */
async function foreignImage(base: readonly PackEntry[], tar: Uint8Array): Promise<Digest> {
  const { descriptor, diffId } = await buildLayer(layout, base);
  const config = canonicalJson({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [diffId, sha256(tar)] } });
  const blobs = [];
  for (const bytes of [config, tar]) blobs.push(await layout.putBlob(bytes, { maxBytes: bytes.length }));
  const [configBlob, tarBlob] = blobs;
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, ...configBlob },
    layers: [descriptorJson(descriptor), { mediaType: OCI_LAYER_TAR, ...tarBlob }],
  });
  return (await layout.putBlob(manifest, { maxBytes: manifest.length })).digest;
}

/** A tar of entries; of a hard link, `target` is what it names. */
function tarOf(
  ...rows: readonly { readonly name: string; readonly mode?: number; readonly text?: string; readonly target?: string }[]
): Uint8Array {
  const parts = rows.flatMap(({ name, mode = 0o644, text = '', target }) => {
    const header = tarHeader({
      name,
      type: target === undefined ? 'file' : 'symlink',
      mode,
      sizeBytes: text.length,
      linkTarget: target ?? '',
    });
    return [target === undefined ? header : asHardLink(header), utf8(text), tarPadding(text.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

function asHardLink(header: Uint8Array): Uint8Array {
  const block = Buffer.from(header);
  block.write('1', 156, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

async function layersOf(digest: Digest): Promise<readonly Digest[]> {
  const manifest = parseManifest(await layout.readBlob(digest, 1_000_000), OCI_MANIFEST);
  return childrenOf(manifest).flatMap(({ digest: child, mediaType }) => (mediaType.includes('layer') ? [child] : []));
}

async function layDown(digest: Digest, name: string, before?: string, use: 'link' | 'copy' = 'copy'): Promise<string> {
  const twins = before === undefined ? {} : { twins: { dir: before, use } };
  await flattenImage(layout, digest, join(home, name), { platform: PLATFORM, indexes, ...twins });
  return join(home, name);
}

/** Names, kinds, modes, times and bytes of all below a folder. */
function tree(dir: string, at = ''): readonly unknown[] {
  return readdirSync(join(dir, at)).flatMap((name) => {
    const path = join(at, name);
    const { mode, mtimeMs, size } = lstatSync(join(dir, path));
    if (lstatSync(join(dir, path)).isDirectory()) return [[path, mode], ...tree(dir, path)];
    return [[path, mode, lstatSync(join(dir, path)).isFile() ? [mtimeMs, readFileSync(join(dir, path), 'utf8')] : size]];
  });
}

const same = (one: string, other: string, path: string): boolean => lstatSync(join(one, path)).ino === lstatSync(join(other, path)).ino;

describe.each(['copy', 'link'] as const)('with what is laid down already (%s)', (use) => {
  test('a layer that both have is neither read nor unpacked', async () => {
    const old = await layDown(await image(BASE, [file('srv/version', '1')]), 'old');
    const next = await image(BASE, [file('srv/version', '2')]);
    const whole = await layDown(next, 'whole');
    const [base] = await layersOf(next);
    if (base === undefined) throw new Error('expected a layer');
    await layout.removeBlob(base);
    const dir = await layDown(next, 'new', old, use);
    expect(tree(dir)).toEqual(tree(whole));
    expect(['lib/large', 'etc/conf', 'srv/version'].map((path) => same(dir, old, path))).toEqual([use === 'link', use === 'link', false]);
  });

  test('what a later layer had replaced may be replaced again, or hidden', async () => {
    const old = await layDown(await image(BASE, [file('etc/conf', 'one'), file('etc/status', 'one')]), 'old');
    const next = await foreignImage(BASE, tarOf({ name: 'etc/conf', text: 'two' }, { name: 'etc/.wh.status' }));
    const whole = await layDown(next, 'whole');
    await layout.removeBlob((await layersOf(next))[0] ?? next);
    expect(tree(await layDown(next, 'new', old, use))).toEqual(tree(whole));
    expect(existsSync(join(home, 'new/etc/status'))).toBe(false);
  });

  test('what a later layer had replaced and no layer brings now is unpacked', async () => {
    const old = await layDown(await image(BASE, [file('etc/conf', 'one')]), 'old');
    const next = await image(BASE, [file('etc/status', 'two')]);
    const whole = await layDown(next, 'whole');
    expect(tree(await layDown(next, 'new', old, use))).toEqual(tree(whole));
  });

  test.each<[string, (path: string) => void]>([
    [
      'another byte under the same size and time',
      (path) => {
        const { mtime } = lstatSync(path);
        writeFileSync(path, `${LARGE.slice(0, -1)}y`);
        utimesSync(path, mtime, mtime);
      },
    ],
    ['a byte less', (path) => writeFileSync(path, LARGE.slice(0, -1))],
    ['nothing in its place', (path) => rmSync(path)],
    [
      'a folder in its place',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    [
      'a link in its place',
      (path) => {
        renameSync(path, `${path}.real`);
        symlinkSync('large.real', path);
      },
    ],
    [
      'a link for the folder that it lies in',
      (path) => {
        renameSync(join(path, '..'), join(home, 'elsewhere'));
        symlinkSync(join(home, 'elsewhere'), join(path, '..'));
      },
    ],
  ])('one with %s is not believed: the layer is unpacked, and needed for it', async (_, change) => {
    const old = await layDown(await image(BASE, [file('srv/version', '1')]), 'old');
    const next = await image(BASE, [file('srv/version', '2')]);
    const whole = await layDown(next, 'whole');
    change(join(old, 'lib/large'));
    const dir = await layDown(next, 'new', old, use);
    expect(tree(dir)).toEqual(tree(whole));
    expect(same(dir, join(home, 'whole'), 'lib/large')).toBe(false);
    await layout.removeBlob((await layersOf(next))[0] ?? next);
    await expect(layDown(next, 'again', old, use)).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
    expect(existsSync(join(home, 'again'))).toBe(false);
  });

  test('one with another mode or time is right again in the new version', async () => {
    const old = await layDown(await image(BASE), 'old');
    const next = await image(BASE, [file('srv/version', '2')]);
    const whole = await layDown(next, 'whole');
    chmodSync(join(old, 'lib/large'), 0o600);
    utimesSync(join(old, 'etc/conf'), 5, 5);
    const dir = await layDown(next, 'new', old, use);
    expect(tree(dir)).toEqual(tree(whole));
    expect(['lib/large', 'etc/conf'].map((path) => same(dir, old, path))).toEqual([false, false]);
  });

  test('an index that is torn counts for nothing, and is written anew', async () => {
    const old = await layDown(await image(BASE), 'old');
    const next = await image(BASE, [file('srv/version', '2')]);
    const [base] = await layersOf(next);
    const index = join(indexes, digestHex(base ?? next));
    const bytes = readFileSync(index);
    writeFileSync(index, bytes.subarray(0, 100));
    await layDown(next, 'new', old, use);
    expect(readFileSync(index).equals(bytes)).toBe(true);
    writeFileSync(index, bytes.subarray(0, 100));
    await layout.removeBlob(base ?? next);
    await expect(layDown(next, 'again', old, use)).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
  });
});

test('a layer with a hard link to what was replaced since is laid down right', async () => {
  const links = tarOf({ name: 'lib/second', target: 'etc/conf' });
  const before = await foreignImage(BASE, links);
  const whole = await layDown(before, 'whole');
  const old = await layDown(await image(BASE, [file('etc/conf', 'other'), file('lib/second', 'gone')]), 'old');
  for (const use of ['copy', 'link'] as const) {
    const dir = await layDown(before, use, old, use);
    expect(tree(dir)).toEqual(tree(whole));
    expect(same(dir, dir, 'etc/conf') && lstatSync(join(dir, 'etc/conf')).ino === lstatSync(join(dir, 'lib/second')).ino).toBe(true);
  }
  expect(tree(await layDown(before, 'again', whole, 'link'))).toEqual(tree(whole));
});

test('rights that a layer was laid down without are refused where they are refused now', async () => {
  const next = await foreignImage(BASE, tarOf({ name: 'bin/su', mode: 0o4755, text: 'su' }));
  const stripping = { platform: PLATFORM, indexes, setuid: 'strip' } as const;
  await flattenImage(layout, next, join(home, 'old'), stripping);
  const twins = { dir: join(home, 'old'), use: 'copy' } as const;
  await layout.removeBlob((await layersOf(next))[0] ?? next);
  await flattenImage(layout, next, join(home, 'stripped'), { ...stripping, twins });
  expect(lstatSync(join(home, 'stripped/bin/su')).mode & 0o7777).toBe(0o755);
  const refused = flattenImage(layout, next, join(home, 'new'), { platform: PLATFORM, indexes, twins });
  await expect(refused).rejects.toMatchObject({ code: 'CONTENT_UNSAFE' });
});
