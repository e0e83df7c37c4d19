/** The promoter's program is kept compiled: what is kept is what runs, and whatever became of it, the same program runs. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Ended, ROOT, runProgram } from '../support/run.js';
import { tempFolder } from '../support/temp-folder.js';

/** A checkout with nothing but the program. */
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

/** Of each module of a program, whether V8 refused what was kept of it; null: nothing was offered. */
async function refusals(root: string): Promise<readonly (boolean | null)[]> {
  const script = `
    import { programLoader } from ${JSON.stringify(path.join(root, 'bin', 'load-compiled.mjs'))};
    const { load, scripts } = programLoader();
    await load(${JSON.stringify(path.join(root, 'dist', 'chunks', entryOf(path.join(root, 'dist'))))}).describeSealane();
    console.log(JSON.stringify([...scripts.values()].map((script) => script.cachedDataRejected ?? null)));`;
  const { stdout } = await runProgram(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as readonly (boolean | null)[];
}

const noBytes = (): Buffer => Buffer.alloc(0);
/** Cut off, empty, changed, and of another module. */
const OTHER_BYTES: readonly ((bytes: Buffer, other: Buffer) => Buffer)[] = [
  (bytes) => bytes.subarray(0, bytes.length / 2),
  noBytes,
  (bytes) => Buffer.from(bytes.map((byte, at) => (at > 200 ? byte ^ 1 : byte))),
  (_, other) => other,
];

describe('the compiled program', () => {
  test('runs as it was kept, wherever it lies: V8 takes all of it', async () => {
    for (const root of [ROOT, await copyOfProgram()]) {
      const refused = await refusals(root);
      expect(refused.length).toBeGreaterThan(100);
      expect(new Set(refused)).toEqual(new Set([false]));
    }
  });

  test('runs the same when what was kept is cut off, empty, changed, another module’s or gone', async () => {
    const root = await copyOfProgram();
    const whole = await ask(root);
    expect(whole).toMatchObject({ exit: 2, stderr: expect.stringContaining('expected pipeline.yaml there') as string });
    const chunks = path.join(root, 'dist', 'chunks');
    const code = readdirSync(chunks)
      .filter((name) => name.endsWith('.code'))
      .map((name) => path.join(chunks, name));
    const kept = code.map((file) => readFileSync(file));
    code.forEach((file, at) => {
      const change = OTHER_BYTES[at % OTHER_BYTES.length] ?? noBytes;
      writeFileSync(file, change(kept[at] ?? noBytes(), kept.at(at - 1) ?? noBytes()));
    });
    expect(await ask(root)).toEqual(whole);
    expect(new Set(await refusals(root))).toEqual(new Set([null]));
    for (const file of code) rmSync(file);
    expect(await ask(root)).toEqual(whole);
  });
});
