/** Row D9: hot, warm and cold. What old entries say is moved to a folder and a registry; leaves, proofs and answers stay, and what cannot be seen is said to be. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { startDistribution, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { expectJson, runJson, runProgram } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const parts = requireProgram('docker-registry');
/** Words that only provenance has. */
const BUILDER = 'https://ci.example/builder';

let dir: string;
let lane: TestLane;
let site: TestSite;
let registry: TestRegistry;
let stopRegistry = (): Promise<void> => Promise.resolve();
let release: string;
let decision: string;
let places: readonly string[];
/** The home before anything was archived. */
let hot: string;
let asked: readonly (readonly string[])[];
let answers: readonly unknown[];

beforeAll(async () => {
  if (parts === undefined) return;
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-archive-'));
  mkdirSync(path.join(dir, 'registry'));
  registry = await startDistribution(path.join(dir, 'registry'));
  stopRegistry = () => {
    stopRegistry = () => Promise.resolve();
    return registry.stop();
  };
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
  release = await lane.release('1.0.0');
  await lane.promote(release);
  await site.must(['update']);
  await site.must(['receipt', 'export', path.join(dir, 'receipts')]);
  for (const file of readdirSync(path.join(dir, 'receipts'))) await lane.sealane(['statement', 'add', path.join(dir, 'receipts', file)]);
  // the newest entry stays where it is
  await lane.release('2.0.0');
  await lane.sealane(['publish']);
  const { decisions } = (await lane.sealane(['audit', 'trace', release])).answer;
  decision = decisions.at(-1).statement;
  places = [`oci:${path.join(dir, 'cold')}`, `docker://${registry.host}/lane/ledger`];
  hot = path.join(dir, 'hot');
  cpSync(lane.home, hot, { recursive: true, verbatimSymlinks: true });
  asked = [
    ['audit', 'trace', release],
    ['audit', 'at', 'harbour-7'],
    ['audit', 'cases', release],
    ['audit', 'evidence', release],
    ['audit', 'population'],
    ['replay', decision],
    ['log', 'prove', decision],
    ['plan', release, '--to', 'prod'],
    ['gc'],
  ];
  answers = await ask(lane.home);
});

afterAll(async () => {
  if (parts === undefined) return;
  await site.stop();
  await lane.stop();
  await stopRegistry();
  rmSync(dir, { recursive: true, force: true });
});

async function ask(home: string): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for (const words of asked) all.push((await runJson('sealane', [...words, '--home', home])).json);
  return all;
}

const archiveAt = (home: string, to: readonly string[] = places): readonly string[] => [
  'ledger',
  'archive',
  '--before',
  '1000',
  ...to.flatMap((place) => ['--to', place]),
  '--home',
  home,
];

/** The files of a ledger's database in which some text stands. */
const holding = (home: string, text: string): readonly string[] =>
  readdirSync(path.join(home, 'ledger')).filter((name) => readFileSync(path.join(home, 'ledger', name)).includes(text));

describe.skipIf(parts === undefined)('D9 an archive (skipped without docker-registry)', () => {
  it('keeps no place that took nothing, and removes nothing', async () => {
    const { exit, json } = await runJson('sealane', archiveAt(lane.home, ['docker://127.0.0.1:1/lane/ledger']));
    expect({ exit, code: json.error.code }).toEqual({ exit: 6, code: 'ARCHIVE_UNREACHABLE' });
    const misspelt = await runJson('sealane', archiveAt(lane.home, ['/mnt/cold']));
    expect({ exit: misspelt.exit, code: misspelt.json.error.code }).toEqual({ exit: 2, code: 'USAGE' });
    expect(existsSync(path.join(lane.home, 'ledger', 'archive.json'))).toBe(false);
    expect(holding(lane.home, BUILDER)).toContain('ledger.sqlite');
  });

  it('takes what old entries say out of the database, and every command answers as before', async () => {
    expect(holding(lane.home, BUILDER)).toContain('ledger.sqlite');
    const moved = await expectJson('sealane', archiveAt(lane.home));
    expect(moved).toMatchObject({ places });
    expect(moved.entries).toBe(8);
    expect(holding(lane.home, BUILDER)).toEqual([]);
    expect(await ask(lane.home)).toEqual(answers);
    expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
    expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true, archived: moved.entries, gone: [] });
    expect(await lane.sealane(['ledger', 'archive', '--before', '1000'])).toMatchObject({ entries: 0, places });
  });

  it('lies in an image layout and in a registry, where other tools open it', async () => {
    const folder = path.join(dir, 'cold');
    const { manifests } = JSON.parse(readFileSync(path.join(folder, 'index.json'), 'utf8'));
    const { tags } = (await (await fetch(`http://${registry.host}/v2/lane/ledger/tags/list`)).json()) as { tags: readonly string[] };
    expect(tags).toEqual([manifests[0].annotations['org.opencontainers.image.ref.name']]);
    const manifest = JSON.parse(readFileSync(blob(folder, manifests[0].digest), 'utf8'));
    const [layer] = manifest.layers;
    const { stdout } = await runProgram('tar', ['-xzOf', blob(folder, layer.digest), '--wildcards', '*.json']);
    expect(stdout).toContain(BUILDER);
    expect((await fetch(`http://${registry.host}/v2/lane/ledger/blobs/${layer.digest}`)).status).toBe(200);
  });

  it('one place is enough; with none at hand the lane says what it cannot see, and decides nothing', async () => {
    const folder = path.join(dir, 'cold');
    renameSync(folder, `${folder}.away`);
    expect(await ask(lane.home)).toEqual(answers);
    await stopRegistry();
    for (const words of asked.filter(([name, what]) => name !== 'audit' || what === 'trace' || what === 'at')) {
      const answer = await runJson('sealane', [...words, '--home', lane.home]);
      expect([words.join(' '), answer.exit, answer.json.error?.code]).toEqual([words.join(' '), 6, 'ARCHIVE_UNREACHABLE']);
    }
    const verified = await lane.sealane(['audit', 'verify'], 6);
    expect(verified).toMatchObject({ complete: false, answer: { ok: false, problems: [], unseen: { entries: expect.any(Number) } } });
    expect(await lane.sealane(['ledger', 'fsck'], 6)).toMatchObject({ ok: false, problems: [], gone: [] });
    const file = path.join(dir, 'backup.tar');
    expect(await lane.sealane(['backup', '--out', file, '--without-keys'])).toMatchObject({ unseen: verified.answer.unseen });
    renameSync(`${folder}.away`, folder);
    const restored = path.join(dir, 'restored');
    expect(await expectJson('sealane', ['restore', file, '--home', restored])).toMatchObject({ unseen: null });
    expect((await expectJson('sealane', ['audit', 'trace', release, '--home', restored])).answer).toEqual(
      (answers[0] as { answer: unknown }).answer,
    );
  });

  it('a pack that rots is named by the entries in it, and counts for nothing', async () => {
    const folder = path.join(dir, 'cold');
    const packs = readdirSync(path.join(folder, 'blobs', 'sha256')).map((name) => path.join(folder, 'blobs', 'sha256', name));
    const [pack = ''] = packs.filter((file) => readFileSync(file)[0] === 0x1f);
    const bytes = readFileSync(pack);
    writeFileSync(pack, Buffer.from(bytes).fill(0, 50, 60));
    const at = path.join(lane.home, 'ledger', 'archive.json');
    const named = readFileSync(at);
    writeFileSync(at, JSON.stringify({ apiVersion: 'sealane/v1', kind: 'Archive', places: [places[0]] }));
    const { answer } = await lane.sealane(['audit', 'verify'], 4);
    expect(answer.problems[0]).toMatchObject({ where: 'entry', expected: expect.stringContaining('its payload in pack') });
    expect((await lane.sealane(['replay', decision], 4)).error.code).toBe('ARCHIVE_DAMAGED');
    writeFileSync(pack, bytes);
    writeFileSync(at, named);
  });

  it('comes back, and the archive is needed no more', async () => {
    const { entries } = await lane.sealane(['ledger', 'thaw']);
    expect(entries).toBe(8);
    rmSync(path.join(dir, 'cold'), { recursive: true });
    expect(await ask(lane.home)).toEqual(answers);
    expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
  });

  it.each(['ledger:packs-copied', 'ledger:envelopes-removed', 'ledger:moved-out'])(
    'killed at %s has lost nothing, and the same command goes on',
    async (point) => {
      const [home, folder] = [path.join(dir, `killed-${point.slice(7)}`), path.join(dir, `cold-${point.slice(7)}`)];
      cpSync(hot, home, { recursive: true, verbatimSymlinks: true });
      await killAt(point, 'sealane', [...archiveAt(home, [`oci:${folder}`]), '--json']);
      expect(await expectJson('sealane', ['ledger', 'fsck', '--home', home])).toMatchObject({ ok: true, gone: [] });
      await expectJson('sealane', archiveAt(home, [`oci:${folder}`]));
      expect(holding(home, BUILDER)).toEqual([]);
      expect((await expectJson('sealane', ['audit', 'verify', '--home', home])).answer).toEqual({ ok: true, problems: [] });
    },
  );
});

function blob(folder: string, digest: string): string {
  return path.join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length));
}
