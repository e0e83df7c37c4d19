/** The programs are kept compiled: what is kept is what runs, and whatever became of it, the same program runs. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Ended, ROOT, runProgram } from '../support/run.js';
import { tempFolder } from '../support/temp-folder.js';

interface Kept {
  readonly program: string;
  readonly describes: string;
  readonly atLeast: number;
  /** Words that load much and end with 2, as nothing is in the folder. */
  readonly ask: (folder: string) => readonly string[];
  readonly says: string;
}

const PROGRAMS: readonly Kept[] = [
  {
    program: 'sealane',
    describes: 'describeSealane',
    atLeast: 100,
    ask: (folder) => ['plan', 'sha256:00', '--to', 'prod', '--home', folder],
    says: 'expected pipeline.yaml there',
  },
  {
    program: 'sealane-site',
    describes: 'describeSealaneSite',
    atLeast: 40,
    ask: (folder) => ['update', '--config', path.join(folder, 'site.yaml')],
    says: 'expected the configuration of this site',
  },
];

/** A checkout with nothing but one program. */
async function copyOf({ program }: Kept): Promise<string> {
  const folder = await tempFolder();
  const built = path.join(ROOT, 'dist');
  mkdirSync(path.join(folder, 'dist', 'chunks'), { recursive: true });
  cpSync(path.join(ROOT, 'bin'), path.join(folder, 'bin'), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const files = [
    ...modulesOf(path.join(built, 'chunks'), entryOf(built, program)).map((name) => `chunks/${name}`),
    'load-compiled.mjs',
    `${program}.mjs`,
    `${program}.help.json`,
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

function entryOf(dist: string, program: string): string {
  const [, name] = /\.\/chunks\/([^']+)'/.exec(readFileSync(path.join(dist, `${program}.mjs`), 'utf8')) ?? [];
  return name ?? '';
}

async function run(root: string, { program, ask }: Kept): Promise<Ended> {
  return await runProgram(process.execPath, [path.join(root, 'bin', `${program}.mjs`), ...ask(root)]);
}

/** Of each module of a program, whether V8 refused what was kept of it; null: nothing was offered. */
async function refusals(root: string, { program, describes }: Kept): Promise<readonly (boolean | null)[]> {
  const script = `
    import { programLoader } from ${JSON.stringify(path.join(root, 'dist', 'load-compiled.mjs'))};
    const { load, scripts } = programLoader();
    await load(${JSON.stringify(path.join(root, 'dist', 'chunks', entryOf(path.join(root, 'dist'), program)))}).${describes}();
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

describe.each(PROGRAMS)('the compiled program $program', (kept) => {
  test('runs as it was kept, wherever it lies: V8 takes all of it', async () => {
    for (const root of [ROOT, await copyOf(kept)]) {
      const refused = await refusals(root, kept);
      expect(refused.length).toBeGreaterThan(kept.atLeast);
      expect(new Set(refused)).toEqual(new Set([false]));
    }
  });

  test('runs the same when what was kept is cut off, empty, changed, another module’s, another Node’s or gone', async () => {
    const root = await copyOf(kept);
    const whole = await run(root, kept);
    expect(whole).toMatchObject({ exit: 2, stderr: expect.stringContaining(kept.says) as string });
    const loader = path.join(root, 'dist', 'load-compiled.mjs');
    const text = readFileSync(loader, 'utf8');
    writeFileSync(loader, text.replace('process.version', "'v0.0.0'"));
    expect(new Set(await refusals(root, kept))).toEqual(new Set([null]));
    writeFileSync(loader, text);
    const chunks = path.join(root, 'dist', 'chunks');
    const code = readdirSync(chunks)
      .filter((name) => name.endsWith('.code'))
      .map((name) => path.join(chunks, name));
    const bytes = code.map((file) => readFileSync(file));
    code.forEach((file, at) => {
      const change = OTHER_BYTES[at % OTHER_BYTES.length] ?? noBytes;
      writeFileSync(file, change(bytes[at] ?? noBytes(), bytes.at(at - 1) ?? noBytes()));
    });
    expect(await run(root, kept)).toEqual(whole);
    expect(new Set(await refusals(root, kept))).toEqual(new Set([null]));
    for (const file of code) rmSync(file);
    expect(await run(root, kept)).toEqual(whole);
  });
});
