/** The `tuf` commands as a shell would call them: over the 60 repositories with the lane's rules, and over what a plain client has to do. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Program, runCommandLine } from '@sealane/core/command-line';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTufLane, type TufLane } from '../../../../test/support/tuf-lane.js';

interface Answer {
  readonly exit: number;
  readonly json: {
    readonly ok?: boolean;
    readonly code?: string | null;
    readonly versions?: Readonly<Record<string, number>>;
    readonly error?: { readonly code: string };
  };
}

interface Case {
  readonly folder: string;
  readonly expect: string;
  readonly alsoAllowed?: readonly string[];
  readonly gunzip?: readonly string[];
  readonly steps: readonly {
    readonly repo: string;
    readonly now: string;
    readonly target: string;
    readonly versions?: Readonly<Record<string, number>>;
  }[];
}

const SET = path.join(import.meta.dirname, '../../../../test/vectors/tuf');
const { cases } = JSON.parse(readFileSync(path.join(SET, 'index.json'), 'utf8')) as { readonly cases: readonly Case[] };
const NOW = '2026-03-01T00:00:00Z';

const program: Program = {
  name: 'sealane',
  version: '0',
  summary: 'test',
  globals: [],
  commands: {
    'tuf init': { summary: '', load: () => import('./tuf-init.js') },
    'tuf refresh': { summary: '', load: () => import('./tuf-refresh.js') },
    'tuf download': { summary: '', load: () => import('./tuf-download.js') },
  },
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sealane-tuf-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function sealane(...words: readonly string[]): Promise<Answer> {
  let out = '';
  const exit = await runCommandLine(program, ['tuf', ...words, '--json'], {
    env: {},
    cwd: folder,
    isTerminal: false,
    signal: new AbortController().signal,
    out: (text) => {
      out += text;
    },
    talk: () => undefined,
  });
  return { exit, json: JSON.parse(out) as Answer['json'] };
}

const download = (base: string, target: string, ...more: readonly string[]): Promise<Answer> =>
  sealane(
    'download',
    '--metadata-dir=md',
    `--metadata-url=${base}/metadata`,
    `--target-base-url=${base}/targets`,
    '--target-dir=got',
    `--target-name=${target}`,
    ...more,
  );

const filesIn = (name: string): readonly string[] =>
  existsSync(path.join(folder, name)) ? readdirSync(path.join(folder, name)).sort() : [];

describe('sealane tuf --strict over the 60 repositories', () => {
  it.each(cases.map((one) => [one.folder, one] as const))('%s', async (name, one) => {
    await sealane('init', '--strict', path.join(SET, name, 'trusted-root.json'), '--metadata-dir=md');
    let before: Answer['json']['versions'] = {};
    for (const [index, step] of one.steps.entries()) {
      const repo = path.join(SET, name, step.repo);
      const isLast = index === one.steps.length - 1;
      const got = filesIn('got');
      const { exit, json } = await download(
        one.gunzip === undefined ? repo : unpacked(repo, one.gunzip),
        step.target,
        '--strict',
        `--now=${step.now}`,
      );
      expect(isLast ? [one.expect, ...(one.alsoAllowed ?? [])] : ['accept']).toContain(json.code ?? 'accept');
      expect({ exit, ok: json.ok }).toEqual(json.code === null ? { exit: 0, ok: true } : { exit: 1, ok: false });
      if (json.ok === true && step.versions !== undefined) expect(json.versions).toEqual(step.versions);
      if (json.ok !== true) {
        const { root: _newest, ...kept } = json.versions ?? {};
        const { root: _trusted, ...floors } = before ?? {};
        expect(kept).toEqual(floors);
        expect(filesIn('got')).toEqual(got);
      }
      before = json.versions;
    }
  });

  function unpacked(repo: string, names: readonly string[]): string {
    const copy = path.join(folder, 'repo');
    cpSync(repo, copy, { recursive: true });
    for (const name of names) writeFileSync(path.join(copy, name), gunzipSync(readFileSync(path.join(copy, `${name}.gz`))));
    return copy;
  }
});

describe('sealane tuf over the web', () => {
  let lane: TufLane;
  let server: Server;
  let base: string;
  let asked: string[];

  beforeEach(async () => {
    lane = await makeTufLane(NOW);
    asked = [];
    server = createServer((request, response) => {
      const name = (request.url ?? '').slice(1);
      asked.push(name);
      const bytes = lane.files.get(name);
      response.statusCode = bytes === undefined ? 404 : 200;
      response.end(bytes);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    base = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
    writeFileSync(path.join(folder, 'root.json'), lane.files.get('metadata/1.root.json') ?? '');
    await sealane('init', 'root.json', '--metadata-dir=md');
  });

  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  it('asks for what it needs, in order, and keeps the exact bytes', async () => {
    expect(await download(base, 'channel/prod.json', `--now=${NOW}`)).toMatchObject({ exit: 0, json: { ok: true, code: null } });
    expect(asked.map((name) => name.replace(/[0-9a-f]{64}/, 'HASH'))).toEqual([
      'metadata/2.root.json',
      'metadata/timestamp.json',
      'metadata/1.snapshot.json',
      'metadata/1.targets.json',
      'metadata/1.prod.json',
      'targets/channel/HASH.prod.json',
    ]);
    expect(new Uint8Array(readFileSync(path.join(folder, 'md/prod.json')))).toEqual(lane.files.get('metadata/1.prod.json'));
    expect(readFileSync(path.join(folder, 'got/channel%2Fprod.json'), 'utf8')).toBe('{"stage":"prod","content":"one"}');
  });

  it('asks for the next root and the timestamp only when nothing changed', async () => {
    await download(base, 'channel/prod.json', `--now=${NOW}`);
    asked.length = 0;
    await download(base, 'channel/prod.json', `--now=${NOW}`);
    expect(asked).toEqual(['metadata/2.root.json', 'metadata/timestamp.json']);
  });

  it('keeps the timestamp of a refresh that is refused later as TUF says, and nothing of it with --strict', async () => {
    lane.files.delete('metadata/1.targets.json');
    const strict = await sealane('refresh', '--strict', '--metadata-dir=md', `--metadata-url=${base}/metadata`, `--now=${NOW}`);
    expect(strict).toMatchObject({ exit: 1, json: { ok: false, code: 'TRUST_MISMATCH', versions: { root: 1 } } });
    expect(filesIn('md')).toEqual(['root.json', 'trust.state']);
    const plain = await sealane('refresh', '--metadata-dir=md', `--metadata-url=${base}/metadata`, `--now=${NOW}`);
    expect(plain.json.versions).toEqual({ root: 1, timestamp: 1, snapshot: 1 });
  });

  it('keeps version floors when every copy was deleted', async () => {
    await lane.publish('two');
    await download(base, 'channel/prod.json', `--now=${NOW}`);
    for (const name of filesIn('md').filter((file) => file.endsWith('.json'))) rmSync(path.join(folder, 'md', name));
    lane.versions['timestamp'] = 0;
    await lane.refresh();
    expect((await download(base, 'channel/prod.json', `--now=${NOW}`)).json.code).toBe('TRUST_ROLLBACK');
  });

  it('gives up on an endless file', async () => {
    const endless = createServer((_request, response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', pour);
      pour();
    });
    await new Promise<void>((done) => endless.listen(0, '127.0.0.1', done));
    const address = endless.address();
    const url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
    expect((await sealane('refresh', '--metadata-dir=md', `--metadata-url=${url}`)).json).toMatchObject({
      ok: false,
      code: 'TRUST_TOO_LARGE',
    });
    endless.closeAllConnections();
    endless.close();
  });

  it('says that a repository cannot be reached', async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    expect((await sealane('refresh', '--metadata-dir=md', `--metadata-url=${base}`)).json).toMatchObject({
      ok: false,
      code: 'FETCH_FAILED',
    });
  });

  it('refuses a damaged state and a folder that was never initialised', async () => {
    writeFileSync(path.join(folder, 'md/trust.state'), '{"root":');
    expect(await sealane('refresh', '--metadata-dir=md', `--metadata-url=${base}`)).toMatchObject({
      exit: 1,
      json: { code: 'CONFIG_INVALID' },
    });
    expect(await sealane('refresh', '--metadata-dir=none', `--metadata-url=${base}`)).toMatchObject({
      exit: 1,
      json: { code: 'CONFIG_INVALID' },
    });
    expect(asked).toEqual([]);
  });

  it('does not let another root replace the trusted one, nor anything that is no root become one', async () => {
    const other = await makeTufLane(NOW);
    writeFileSync(path.join(folder, 'other.json'), other.files.get('metadata/1.root.json') ?? '');
    expect((await sealane('init', 'other.json', '--metadata-dir=md')).json.code).toBe('CONFIG_INVALID');
    expect((await sealane('init', 'root.json', '--metadata-dir=md')).json).toMatchObject({ ok: true, versions: { root: 1 } });
    writeFileSync(path.join(folder, 'not.json'), lane.files.get('metadata/timestamp.json') ?? '');
    expect((await sealane('init', 'not.json', '--metadata-dir=fresh')).json.code).toBe('TRUST_MALFORMED');
    expect(filesIn('fresh')).toEqual([]);
  });

  it('takes wrong flags for wrong usage', async () => {
    expect(await sealane('refresh', '--metadata-dir=md', `--metadata-url=${base}`, '--now=yesterday')).toMatchObject({
      exit: 2,
      json: { error: { code: 'USAGE' } },
    });
    expect(await sealane('refresh', `--metadata-url=${base}`)).toMatchObject({ exit: 2 });
    expect(await sealane('download', '--metadata-dir=md', '--metadata-url=x', '--target-base-url=x', '--target-dir=x')).toMatchObject({
      exit: 2,
    });
  });
});
