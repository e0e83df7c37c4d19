/** The promoter's program is kept compiled: what is kept is what runs, and whatever became of it, the same program runs. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Ended, ROOT, runProgram } from '../support/run.js';
import { tempFolder } from '../support/temp-folder.js';

/** A checkout with nothing but the program; what is kept of its modules is of the place that they came from. */
async function copyOfProgram(): Promise<string> {
  const folder = await tempFolder();
  const built = path.join(ROOT, 'dist');
  mkdirSync(path.join(folder, 'dist', 'chunks'), { recursive: true });
  cpSync(path.join(ROOT, 'bin'), path.join(folder, 'bin'), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const files = [
    ...modulesOf(path.join(built, 'chunks'), entryOf(built)).map((name) => `chunks/${name}`),
    'sealane.mjs',
    'sealane.help.json',
  ];
  for (const file of files) cpSync(path.join(built, file), path.join(folder, 'dist', file));
  return folder;
}

/** Builds leave older modules behind: only those of this one. */
function modulesOf(chunks: string, entry: string): readonly string[] {
  const found = new Set([entry]);
  for (const file of found)
    for (const [, name = ''] of readFileSync(path.join(chunks, file), 'utf8').matchAll(/require\([`'"]\.\/([^`'"]+)/g)) found.add(name);
  return readdirSync(chunks).filter((name) => found.has(name.replace(/\.code$/, '')));
}

function entryOf(dist: string): string {
  const [, name] = /\.\/chunks\/([^']+)'/.exec(readFileSync(path.join(dist, 'sealane.mjs'), 'utf8')) ?? [];
  return name ?? '';
}

function ask(root: string): Promise<Ended> {
  return runProgram(process.execPath, [path.join(root, 'bin', 'sealane.mjs'), 'plan', 'sha256:00', '--to', 'prod', '--home', root]);
}

/** Loads a program and says of each module whether V8 refused what was kept of it (null: nothing was offered); then runs `more`. */
async function refusals(root: string, more = ''): Promise<readonly (boolean | null)[]> {
  const script = `
    import { keepCode, programLoader } from ${JSON.stringify(path.join(root, 'bin', 'load-compiled.mjs'))};
    const { load, scripts } = programLoader();
    await load(${JSON.stringify(path.join(root, 'dist', 'chunks', entryOf(path.join(root, 'dist'))))}).describeSealane();
    console.log(JSON.stringify([...scripts.values()].map((script) => script.cachedDataRejected ?? null)));
    ${more}`;
  const { stdout } = await runProgram(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as readonly (boolean | null)[];
}

const KEEP = 'for (const [file, script] of scripts) keepCode(file, script);';
const OTHER_BYTES: Readonly<Record<string, (bytes: Buffer, other: Buffer) => Buffer>> = {
  'cut off': (bytes) => bytes.subarray(0, bytes.length / 2),
  empty: () => Buffer.alloc(0),
  changed: (bytes) => Buffer.from(bytes.map((byte, at) => (at > 200 ? byte ^ 1 : byte))),
  'of another module': (_, other) => other,
};

describe('the compiled program', () => {
  test('runs as it was kept: V8 takes all of it', async () => {
    const refused = await refusals(ROOT);
    expect(refused.length).toBeGreaterThan(100);
    expect(new Set(refused)).toEqual(new Set([false]));
  });

  test('runs the same when what was kept is gone, cut off, changed, another’s or made elsewhere', async () => {
    const root = await copyOfProgram();
    const whole = await ask(root);
    expect(whole).toMatchObject({ exit: 2, stderr: expect.stringContaining('expected pipeline.yaml there') as string });
    expect(new Set(await refusals(root, KEEP))).toEqual(new Set([null]));
    expect(new Set(await refusals(root))).toEqual(new Set([false]));
    const chunks = path.join(root, 'dist', 'chunks');
    const code = readdirSync(chunks)
      .filter((name) => name.endsWith('.code'))
      .map((name) => path.join(chunks, name));
    const kept = code.map((file) => readFileSync(file));
    for (const [how, change] of Object.entries(OTHER_BYTES)) {
      code.forEach((file, at) => writeFileSync(file, change(kept[at] ?? Buffer.alloc(0), kept.at(at - 1) ?? Buffer.alloc(0))));
      expect(await ask(root), how).toEqual(whole);
    }
    for (const file of code) rmSync(file);
    expect(await ask(root)).toEqual(whole);
  });
});
