/** Where a medium may be written: nothing that is there is mixed up with it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeHome, type TestHome } from '../testing/test-home.js';

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.stop());

const at = (...names: readonly string[]): string => path.join(home.dir, ...names);
const exported = (out: string, exit = 0): ReturnType<TestHome['sealane']> =>
  home.sealane(['media', 'export', '--stage', 'prod', '--out', out], exit);
const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();

test('a folder with something else in it is refused by name, and stays as it is', async () => {
  const holiday = at('holiday');
  mkdirSync(path.join(holiday, 'pictures', '2025'), { recursive: true });
  writeFileSync(path.join(holiday, 'pictures', '2025', 'sea.jpg'), 'waves');
  const { error } = await exported(holiday, 2);
  expect(error.code).toBe('USAGE');
  expect(error.message).toMatch(/holiday: expected .*, got one with pictures in it$/);
  expect(filesBelow(holiday)).toEqual(['pictures/2025/sea.jpg']);
});

test('so is a home, a file, the lane itself, a folder in it and a link to it', async () => {
  const link = at('link');
  symlinkSync(path.join(home.home, 'lane'), link);
  const before = filesBelow(home.home);
  const places = [home.home, home.file('plain', 'file\n'), path.join(home.home, 'lane'), path.join(home.home, 'lane', 'medium'), link];
  for (const place of places) expect((await exported(place, 2)).error.code, place).toBe('USAGE');
  expect(filesBelow(home.home)).toEqual(before);
});

test('a medium of this lane is brought up to date, one that was broken off too', async () => {
  const medium = at('medium');
  const { files } = await exported(medium);
  expect(filesBelow(medium)).toHaveLength(files);
  await home.sealane(['freeze', 'prod', '--reason', 'storm']);
  expect((await exported(medium)).files).toBeGreaterThanOrEqual(files);
  const timestamp = path.join('trust', 'metadata', 'timestamp.json');
  expect(readFileSync(path.join(medium, timestamp))).toEqual(readFileSync(path.join(home.home, 'lane', timestamp)));

  // after its first file
  for (const name of ['content', 'log', timestamp]) rmSync(path.join(medium, name), { recursive: true, force: true });
  await exported(medium);
  expect(filesBelow(medium)).toContain(timestamp);
  // before it
  rmSync(medium, { recursive: true });
  mkdirSync(path.join(medium, 'trust', 'metadata'), { recursive: true });
  writeFileSync(path.join(medium, 'trust', 'metadata', '.1.root.json.tmp'), '{"sig');
  await exported(medium);
});

test('what a file system or a desktop put onto a stick is nothing in the way', async () => {
  const stick = at('stick');
  for (const name of ['lost+found', '.Trash-1000', 'System Volume Information']) {
    mkdirSync(path.join(stick, name), { recursive: true });
    writeFileSync(path.join(stick, name, 'it'), 'own');
  }
  await exported(stick);
  expect(filesBelow(stick)).toContain('lost+found/it');
});

test('a stick that came back with links writes to no other place of this host, whichever name they have', async () => {
  const stick = at('came-back');
  const precious = home.file('precious', 'ledger\n');
  await exported(stick);
  // the name of a file while it is written can be known
  symlinkSync(precious, path.join(stick, 'trust', 'metadata', '.timestamp.json.tmp'));
  await exported(stick);
  expect(readFileSync(precious, 'utf8')).toBe('ledger\n');
  expect(existsSync(path.join(stick, 'trust', 'metadata', '.timestamp.json.tmp'))).toBe(false);

  const outside = at('outside');
  for (const folder of ['content', 'trust', path.join('trust', 'targets')]) {
    const kept = path.join(stick, folder);
    renameSync(kept, `${outside}-kept`);
    mkdirSync(outside);
    symlinkSync(outside, kept);
    const { error } = await exported(stick, 4);
    expect(error).toMatchObject({ code: 'CONTENT_UNSAFE', message: expect.stringContaining(kept) as string });
    expect(readdirSync(outside)).toEqual([]);
    for (const made of [kept, outside]) rmSync(made, { recursive: true });
    renameSync(`${outside}-kept`, kept);
  }
  await exported(stick);
});

test('a stick with a pipe where its lane is told by is refused, and holds nobody up', async () => {
  const stick = at('with-pipe');
  await exported(stick);
  const root = path.join(stick, 'trust', 'metadata', '1.root.json');
  rmSync(root);
  execFileSync('mkfifo', [root]);
  expect((await exported(stick, 4)).error.code).toBe('CONTENT_UNSAFE');
});

test('a medium of another lane is refused, and stays one', async () => {
  const other = await makeHome(
    readFileSync(path.join(home.home, 'pipeline.yaml'), 'utf8')
      .replace(/^witnesses:[^]*/m, '')
      .replace('lane.example', 'other.example'),
  );
  try {
    const medium = at('others');
    await other.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    const before = filesBelow(medium);
    expect((await exported(medium, 2)).error.message).toMatch(/got a medium of another lane$/);
    expect(filesBelow(medium)).toEqual(before);
  } finally {
    await other.stop();
  }
});
