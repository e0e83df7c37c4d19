/** What the archive vectors do not show: layers over layers, links that are made relative, rights that are stripped, hostile mixtures. */
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '@sealane/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.js';
import { extractLayer } from './extract.js';
import type { UnpackOptions } from './slot.js';
import { TAR_END, tarHeader, tarPadding } from './tar-writer.js';

interface Row {
  readonly name: string;
  readonly type?: 'file' | 'dir' | 'symlink';
  readonly text?: string;
  readonly target?: string;
  readonly mode?: number;
}

/** A tar whose names and modes need not be honest. */
function tarOf(rows: readonly Row[]): Uint8Array {
  const parts = rows.flatMap(({ name, type = 'file', text = '', target = '', mode = 0o644 }) => {
    const content = utf8(text);
    return [tarHeader({ name, type, mode, sizeBytes: content.length, linkTarget: target }), content, tarPadding(content.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

/** The header of a hard link: the one type that our writer never writes. */
function hardLink(name: string, target: string): Uint8Array {
  const block = Buffer.from(tarHeader({ name, type: 'symlink', mode: 0o644, sizeBytes: 0, linkTarget: target }));
  block.write('1', 156, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function unpack(layers: readonly (readonly Row[] | Uint8Array)[], options: UnpackOptions = {}): Promise<string> {
  const dir = join(await tempFolder(), 'slot');
  for (const layer of layers) await extractLayer(once(layer instanceof Uint8Array ? layer : tarOf(layer)), dir, options);
  return dir;
}

const text = (dir: string, path: string): Promise<string> => readFile(join(dir, path), 'utf8');
const refused = { code: 'CONTENT_UNSAFE' };

describe('layers over layers', () => {
  test('a file takes the place of a folder, a folder of a link, a link of a file', async () => {
    const dir = await unpack([
      [
        { name: 'a/x', text: '1' },
        { name: 'b', type: 'symlink', target: 'c' },
        { name: 'c', text: '1' },
      ],
      [
        { name: 'a', text: '2' },
        { name: 'b/', type: 'dir' },
        { name: 'b/y', text: '2' },
        { name: 'c', type: 'symlink', target: 'a' },
      ],
    ]);
    expect(await text(dir, 'a')).toBe('2');
    expect(await text(dir, 'b/y')).toBe('2');
    expect(await readlink(join(dir, 'c'))).toBe('a');
  });

  test('a file over one name of a hard link leaves the other as it was', async () => {
    const dir = await unpack([
      Buffer.concat([tarOf([{ name: 'a', text: 'old' }]).subarray(0, 1024), hardLink('b', 'a'), TAR_END]),
      [{ name: 'a', text: 'new' }],
    ]);
    expect(await text(dir, 'a')).toBe('new');
    expect(await text(dir, 'b')).toBe('old');
  });

  test.for([
    [
      'a link of the layer below',
      [
        { name: 's', type: 'symlink', target: 'd' },
        { name: 'd/', type: 'dir' },
      ],
      [{ name: 's/evil' }],
    ],
    ['a file of the layer below', [{ name: 's' }], [{ name: 's/evil' }]],
  ] as [string, Row[], Row[]][])('nothing is written through %s', async ([, lower, upper]) => {
    await expect(unpack([lower, upper])).rejects.toMatchObject(refused);
  });

  test('a hard link may name a file of the layer below, never a link', async () => {
    const lower: Row[] = [
      { name: 'a', text: 'x' },
      { name: 's', type: 'symlink', target: 'a' },
    ];
    const dir = await unpack([lower, Buffer.concat([hardLink('b', 'a'), TAR_END])]);
    expect(await text(dir, 'b')).toBe('x');
    await expect(unpack([lower, Buffer.concat([hardLink('b', 's'), TAR_END])])).rejects.toMatchObject(refused);
  });

  test('names that clash only across layers are refused too', async () => {
    await expect(unpack([[{ name: 'README' }], [{ name: 'readme' }]])).rejects.toMatchObject(refused);
    expect(await readdir(await unpack([[{ name: 'README' }], [{ name: '.wh.README' }, { name: 'readme' }]]))).toEqual(['readme']);
  });
});

describe('whiteouts', () => {
  const lower: Row[] = [
    { name: 'd/old', text: '1' },
    { name: 'd/sub/deep', text: '1' },
    { name: 'keep', text: '1' },
  ];
  test.for([
    ['hide a folder with all below', [{ name: '.wh.d' }], ['keep']],
    ['hide only the layers below, in whatever order', [{ name: 'd/new', text: '2' }, { name: '.wh.d' }], ['d', 'd/new', 'keep']],
    [
      'an opaque folder keeps what its own layer has, also deeper',
      [{ name: 'd/sub/new' }, { name: 'd/.wh..wh..opq' }],
      ['d', 'd/sub', 'd/sub/new', 'keep'],
    ],
    ['an opaque root hides everything', [{ name: '.wh..wh..opq' }, { name: 'new' }], ['new']],
    [
      'a file may be hidden and come anew',
      [{ name: '.wh.keep' }, { name: 'keep', text: '2' }],
      ['d', 'd/old', 'd/sub', 'd/sub/deep', 'keep'],
    ],
    ['below a folder that is not there they hide nothing', [{ name: 'no/.wh.x' }], ['d', 'd/old', 'd/sub', 'd/sub/deep', 'keep']],
  ] as [string, Row[], string[]][])('%s', async ([, upper, expected]) => {
    const dir = await unpack([lower, upper]);
    expect((await readdir(dir, { recursive: true })).toSorted()).toEqual(expected);
  });

  test.for([
    ['with content', [{ name: '.wh.keep', text: 'x' }]],
    ['as a folder', [{ name: '.wh.keep/', type: 'dir' }]],
    ['as a parent', [{ name: '.wh.keep/x' }]],
    ['of a whiteout', [{ name: '.wh..wh.keep' }]],
    ['below a file', [{ name: 'keep/.wh.x' }]],
  ] as [string, Row[]][])('%s are refused', async ([, upper]) => {
    await expect(unpack([lower, upper])).rejects.toMatchObject(refused);
  });
});

describe('rights', () => {
  const rows: Row[] = [
    { name: 'su', mode: 0o4755 },
    { name: 'sg/', type: 'dir', mode: 0o2775 },
    { name: 'tmp/', type: 'dir', mode: 0o1777 },
  ];

  test('setuid and setgid are refused by default', async () => {
    for (const row of rows.slice(0, 2)) await expect(unpack([[row]])).rejects.toMatchObject(refused);
  });

  test('or stripped; the sticky bit of a folder stays', async () => {
    const dir = await unpack([rows], { setuid: 'strip' });
    const mode = async (path: string): Promise<number> => (await stat(join(dir, path))).mode & 0o7777;
    expect(await mode('su')).toBe(0o755);
    expect(await mode('sg')).toBe(0o775);
    expect(await mode('tmp')).toBe(0o1777);
  });

  test('what is laid down can always be read and removed by its owner', async () => {
    const dir = await unpack([
      [
        { name: 'd/', type: 'dir', mode: 0 },
        { name: 'd/f', mode: 0, text: 'x' },
      ],
    ]);
    expect((await stat(join(dir, 'd'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, 'd/f'))).mode & 0o777).toBe(0o400);
  });

  test('modes of the archive give way to two of ours where that is asked for, those of a folder that comes again too', async () => {
    const upper: Row[] = [
      { name: 'tmp/', type: 'dir', mode: 0o777 },
      { name: 'tmp/tool', mode: 0o701 },
      { name: 'tmp/key', mode: 0o600 },
      { name: 'open', mode: 0o666 },
    ];
    const dir = await unpack([rows.slice(2), upper], { modes: 'two' });
    const mode = async (path: string): Promise<number> => (await stat(join(dir, path))).mode & 0o7777;
    expect(await Promise.all(['tmp', 'tmp/tool', 'tmp/key', 'open'].map(mode))).toEqual([0o755, 0o755, 0o644, 0o644]);
  });

  test('the umask of the process changes nothing', async () => {
    const before = process.umask(0o077);
    try {
      const dir = await unpack([[{ name: 'd/', type: 'dir', mode: 0o755 }, { name: 'd/f', mode: 0o644 }, { name: 'implied/f' }]]);
      expect((await stat(join(dir, 'd'))).mode & 0o777).toBe(0o755);
      expect((await stat(join(dir, 'd/f'))).mode & 0o777).toBe(0o644);
      expect((await stat(join(dir, 'implied'))).mode & 0o777).toBe(0o755);
    } finally {
      process.umask(before);
    }
  });
});

describe('links', () => {
  test.for([
    ['a/b/l', '/etc/x', '../../etc/x'],
    ['l', '/etc/x', 'etc/x'],
    ['a/l', '/', '..'],
    ['l', '/', '.'],
    ['a/l', '/../../etc/x', '../etc/x'],
  ])('%s -> %s becomes %s where absolute links are made relative', async ([name, target, expected]) => {
    const dir = await unpack([[{ name: name ?? '', type: 'symlink', target: target ?? '' }]], { absoluteLinks: 'rebase' });
    expect(await readlink(join(dir, name ?? ''))).toBe(expected);
  });

  test.for([
    ['a/l', '../../x', 'above the root'],
    ['a/l', 'b/../../../x', 'up after down'],
    ['l', '/a/../../x', 'absolute, then up after down'],
    ['l', 'a\u0001b', 'a control character'],
    ['l', 'x'.repeat(300), 'a name that no disk holds'],
  ])('%s -> %j is refused: %s', async ([name, target]) => {
    await expect(
      unpack([[{ name: name ?? '', type: 'symlink', target: target ?? '' }]], { absoluteLinks: 'rebase' }),
    ).rejects.toMatchObject(refused);
  });
});

test('no mixture of entries ever touches anything outside', async () => {
  const name = fc
    .array(fc.constantFrom('a', 'b', '..', '.', '', '.wh.a', '.wh..wh..opq', 'outside'), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/'));
  const row = fc.record({
    name,
    type: fc.constantFrom('file' as const, 'dir' as const, 'symlink' as const),
    target: name,
    text: fc.constantFrom('', 'evil'),
  });
  const layers = fc.array(fc.array(row, { maxLength: 5 }), { minLength: 1, maxLength: 3 });
  const home = await tempFolder();
  await extractLayer(once(tarOf([{ name: 'secret', text: 'secret' }])), join(home, 'outside'));
  await fc.assert(
    fc.asyncProperty(layers, fc.constantFrom('refuse' as const, 'rebase' as const), async (all, absoluteLinks) => {
      const dir = join(home, 'slot');
      try {
        for (const rows of all) {
          const honest = rows.map((entry) => (entry.type === 'file' ? entry : { ...entry, text: '' }));
          await extractLayer(once(tarOf(honest)), dir, { absoluteLinks });
        }
        await extractLayer(once(TAR_END), dir);
      } catch (error) {
        expect(error).toMatchObject(refused);
        expect(await readdir(home)).toEqual(['outside']);
      }
      expect((await readdir(home)).filter((entry) => entry !== 'slot')).toEqual(['outside']);
      expect(await readdir(join(home, 'outside'))).toEqual(['secret']);
      expect(await text(home, 'outside/secret')).toBe('secret');
    }),
    { numRuns: 300 },
  );
});
