/** Command lines as somebody writes them who has read the contract and nothing else: what it does not ask for may be left out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { commandWords, type Executable, expectJson, ROOT } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
let first: string;
let second: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-as-written-'));
  lane = await makeLane(dir);
  [first, second] = [await lane.release('1.0.0'), await lane.release('1.1.0')];
  await lane.promote(first);
  await lane.promote(second);
  site = await enrolSite(lane, path.join(dir, 'site'), { upstreams: [lane.lane] });
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('a pipeline of what the contract names', () => {
  it('makes a lane', async () => {
    const file = path.join(dir, 'short.yaml');
    writeFileSync(
      file,
      `stages: [{ name: dev, gates: [{ use: tests }] }, { name: prod, from: dev, gates: [{ use: approvals, with: { count: 1 } }] }]
people: [{ id: alice, keys: [alice] }]
signers: { provenance: builder, tests: lab, hardware: lab }
registrar: registrar
hardware: { require: [arch] }
`,
    );
    const made = await expectJson('sealane', ['init', path.join(dir, 'short'), '--pipeline', file, '--example-keys']);
    expect(made).toMatchObject({ origin: 'lane.example', rootVersion: 1 });
    expect(readdirSync(made.lane).sort()).toEqual(['content', 'log', 'trust']);
  });
});

describe('an order without a reason', () => {
  it.each([
    ['channel', 'hold', 'prod'],
    ['channel', 'unhold', 'prod'],
    ['site', 'fence', 'harbour-7'],
    ['site', 'drain', 'harbour-7'],
    ['site', 'rejoin', 'harbour-7'],
  ])('is given: %s %s', async (...words) => {
    const { statements } = await lane.sealane(words);
    const { statement } = await lane.sealane(['evidence', 'show', statements[0].digest]);
    expect(statement.predicate).toMatchObject({ reason: 'none given' });
  });

  it('holds updates at a site', async () => {
    expect(await site.must(['hold'])).toMatchObject({ hold: { reason: 'none given', until: null } });
    expect(await site.must(['status'])).toMatchObject({ state: 'held' });
    await site.must(['unhold']);
  });

  it('is a veto as well', async () => {
    const third = await lane.release('1.2.0');
    await lane.evidence(third);
    const { statements } = await lane.sealane(['reject', third, '--to', 'prod', '--key', 'alice']);
    const { statement } = await lane.sealane(['evidence', 'show', statements[0].digest]);
    expect(statement.predicate).toMatchObject({ verdict: 'reject', reason: 'none given' });
  });

  it('takes a stage back to the release before, once', async () => {
    expect(await lane.sealane(['channel', 'rollback', 'prod'])).toMatchObject({ release: first });
    // the newer one is kept too, but it is none from before
    expect(await lane.sealane(['channel', 'rollback', 'prod'], 4)).toMatchObject({ error: { code: 'WAYBILL_STAGE_ORDER' } });
    expect(await lane.sealane(['channel', 'rollback', 'prod', second])).toMatchObject({ release: second });
    expect(await lane.sealane(['channel', 'rollback', 'prod', second, '--to', first], 2)).toMatchObject({ error: { code: 'USAGE' } });
  });

  it('proposes that a key counts no more, and an owner signs what is open', async () => {
    expect((await lane.sealane(['key', 'revoke', 'lab'], 5)).changes.join('\n')).toMatch(/ends at log index \d+: none given/);
    const { targets } = await lane.sealane(['trust', 'sign', '--key', `file:${path.join(lane.home, 'owners', 'targets-1.pem')}`]);
    expect(targets).toMatchObject({ missing: 1 });
  });
});

describe('evidence', () => {
  it('is shown and verified by the release alone', async () => {
    const shown = await lane.sealane(['evidence', 'show', first]);
    const verified = await lane.sealane(['evidence', 'verify', first]);
    const digests = (list: readonly { readonly digest: string }[]): readonly string[] => list.map(({ digest }) => digest).sort();
    expect(shown.statements.length).toBeGreaterThan(5);
    expect(digests(verified.statements)).toEqual(digests(shown.statements));
    expect(shown.statements[0].statement).toMatchObject({ predicateType: 'urn:sealane:release:v1' });
    const nothing = `sha256:${'0'.repeat(64)}`;
    expect(await lane.sealane(['evidence', 'show', nothing], 2)).toMatchObject({ error: { code: 'STATEMENT_UNKNOWN' } });
  });

  it('that is written to a file is not logged until it is brought', async () => {
    const release = await lane.release('2.0.0');
    const file = path.join(dir, 'provenance.bundle.json');
    const words = ['evidence', 'add', release, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder'];
    const { statements } = await lane.sealane([...words, '--out', file]);
    expect(statements).toEqual([{ predicateType: 'https://slsa.dev/provenance/v1', digest: expect.any(String), logIndex: null }]);
    expect(await lane.sealane(['evidence', 'list', release])).toEqual({ statements: [] });
    const added = await lane.sealane(['statement', 'add', file]);
    expect(added.statements).toEqual([{ ...statements[0], logIndex: expect.any(Number) }]);
    expect(await lane.sealane(['evidence', 'list', release])).toEqual(added);
  });
});

describe('a server', () => {
  it.each([
    ['serve', '--listen', '127.0.0.1:0', '--home', 'HOME'],
    ['witness', 'serve', '--state', 'STATE', '--log', 'LOG', '--listen', '127.0.0.1:0', '--key', 'witness', '--home', 'OTHER'],
  ])('prints one object, with --json too: %s', async (...words) => {
    const named: Readonly<Record<string, string>> = {
      HOME: lane.home,
      STATE: path.join(dir, 'other-witness'),
      LOG: path.join(lane.home, 'log.vkey'),
      OTHER: path.join(dir, 'other'),
    };
    cpSync(path.join(ROOT, 'keys-example', 'witness.pem'), path.join(dir, 'other', 'keys', 'witness.pem'));
    const { url, stdout } = await served(
      'sealane',
      words.map((word) => named[word] ?? word),
    );
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(stdout.split('\n')).toEqual([expect.stringContaining(url), '']);
  });

  it('of images at a site takes a free port on this host', async () => {
    const { url, stdout } = await served('sealane-site', ['mirror', 'serve', '--config', site.config, '--state', site.state]);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(stdout.split('\n')).toEqual([expect.stringContaining(url), '']);
  });
});

/** Starts a server with `--json`, ends it once it has said where it is, and gives all that it printed. */
async function served(program: Executable, words: readonly string[]): Promise<{ readonly url: string; readonly stdout: string }> {
  const child = spawn(process.execPath, commandWords(program, [...words, '--json']), { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.includes('\n')) child.kill('SIGTERM');
  });
  await once(child, 'close');
  return { url: JSON.parse(stdout.split('\n')[0] ?? '').url, stdout };
}

describe('global options', () => {
  it('come from the environment: the key that signs and the file that is written', async () => {
    const out = path.join(dir, 'approval.json');
    const env = { SEALANE_HOME: lane.home, SEALANE_KEY: 'alice', SEALANE_OUT: out };
    const { statements } = await expectJson('sealane', ['approve', first, '--to', 'prod'], 0, { env });
    expect(statements).toMatchObject([{ logIndex: null }]);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ dsseEnvelope: { payload: expect.any(String) } });
  });

  it('take any answer into a file', async () => {
    const out = path.join(dir, 'key.pem');
    await lane.sealane(['key', 'export', 'prod', '--out', out]);
    expect(existsSync(out)).toBe(true);
  });
});
