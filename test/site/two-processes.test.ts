/** The updater as two processes (DESIGN "Privilege"), without systemd: what goes over their sockets, and that a hostile side gets nowhere (T11). */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { runJson } from '../support/run.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';
import { receiptsOf } from '../support/site-world.js';
import { askRaw, keptOpen, startTwoProcesses, type TwoProcesses } from '../support/two-processes.js';

let dir: string;
let lane: TestLane;
let one: string;
let two: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-two-'));
  lane = await makeLane(dir);
  one = await lane.release('1.0.0');
  await lane.promote(one);
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('B11 fetch and apply as two processes', () => {
  let site: TestSite;
  let pair: TwoProcesses;
  beforeAll(async () => {
    site = await enrolSite(lane, path.join(dir, 'pair'), { receiptsTo: './out', yaml: 'pollSeconds: 3600' });
    pair = await startTwoProcesses(site);
  });
  afterAll(async () => {
    await pair.must(['stop']);
    await pair.stop();
  });

  it('B11 installs what the lane has, hands receipts over and answers operators on its socket', async () => {
    await pair.must(['update']);
    expect(versionOnDisk(site.state)).toBe('1.0.0');
    expect(await pair.must(['status'])).toMatchObject({ state: 'idle', current: { release: one }, receiptsQueued: 0 });
    expect(receiptsOf(site).map(({ event }) => event)).toEqual(['installed']);
    two = await lane.release('1.1.0');
    await lane.promote(two);
    expect(await pair.must(['update'])).toMatchObject({ outcome: 'installed', release: two, previous: one });
    expect(await pair.must(['rollback'])).toMatchObject({ outcome: 'installed', release: one });
    expect(versionOnDisk(site.state)).toBe('1.0.0');
    expect(await pair.must(['status'])).toMatchObject({ receiptsQueued: 0 });
  });

  it('B11 passes on options, arguments, exit codes and failures', async () => {
    const held = await pair.must(['hold', '--reason', 'crane works', '--until', '2099-01-01T00:00:00Z']);
    expect(held).toMatchObject({ hold: { reason: 'crane works' } });
    expect(await pair.must(['status'])).toMatchObject({ state: 'held', hold: { reason: 'crane works' } });
    expect(await pair.must(['unhold'])).toMatchObject({ lifted: ['the hold is lifted'] });
    expect(await pair.must(['rollback', `sha256:${'0'.repeat(64)}`], 2)).toMatchObject({ error: { code: 'ROLLBACK_NONE' } });
    expect(await pair.must(['hold', '--reason', 'x', '--until', 'tomorrow'], 2)).toMatchObject({ error: { code: 'USAGE' } });
    expect(await pair.must(['doctor'])).toMatchObject({ ok: true });
  });

  it('B11 names a file to the service as it is seen from where it was asked', async () => {
    const answer = await runJson('sealane-site', ['certificate', 'install', 'chain.pem', '--service', pair.operators], { cwd: dir });
    expect(answer.json.error).toMatchObject({ code: 'USAGE', message: expect.stringContaining(path.join(dir, 'chain.pem')) });
  });

  it('B11 has sockets that nobody but their owner may open, and takes no other request than a verb', async () => {
    for (const socket of [pair.operators, pair.fetchSocket]) expect(statSync(socket).mode & 0o777).toBe(0o600);
    const ask = async (request: object): Promise<{ error?: { code: string } }> =>
      JSON.parse(await askRaw(pair.operators, `${JSON.stringify(request)}\n`)) as { error?: { code: string } };
    const verb = { v: 1, verb: 'status', args: [], options: {} };
    expect(await ask(verb)).toMatchObject({ exit: 0 });
    const out = path.join(dir, 'stolen');
    for (const bad of [
      { ...verb, v: 2 },
      { ...verb, verb: 'enroll', options: { out } },
      { ...verb, verb: 'receipt export', args: [out] },
      { ...verb, verb: 'apply' },
      { ...verb, verb: 'constructor' },
      { ...verb, options: { config: '/etc/passwd' } },
      { ...verb, options: { state: out } },
      { ...verb, args: ['a'] },
      { ...verb, verb: 'hold', options: { reason: 'a', until: 'some day' } },
      { ...verb, more: 1 },
    ])
      expect(await ask(bad), JSON.stringify(bad)).toMatchObject({ error: { code: 'USAGE' } });
    expect(await askRaw(pair.operators, `${'x'.repeat(20_000)}\n`)).toBe('');
    expect(await askRaw(pair.operators, '{"v":1\n')).toMatch(/"code":"JSON_MALFORMED"/);
    expect(await askRaw(pair.fetchSocket, '{"v":1,"do":"install","release":"x"}\n')).toBe('');
    expect(await pair.must(['status'])).toMatchObject({ state: 'idle', current: { release: one } });
  });

  it('B11 lets go who was answered and stays, who sends nothing, and who sends a byte now and then: others are answered', async () => {
    const status = `${JSON.stringify({ v: 1, verb: 'status', args: [], options: {} })}\n`;
    const answered = await keptOpen(pair.technicians, 32, status);
    await answered.ended;
    expect(await askRaw(pair.technicians, status)).toMatch(/"exit":0/);
    answered.drop();

    const silent = await keptOpen(pair.technicians, 32, '{');
    expect(await askRaw(pair.technicians, status)).toBe('');
    expect(await askRaw(pair.operators, status)).toMatch(/"exit":0/);
    await silent.ended;
    expect(await askRaw(pair.technicians, status)).toMatch(/"exit":0/);
    silent.drop();

    const dripping = connect({ path: pair.technicians });
    const drip = setInterval(() => dripping.write(' '), 500);
    await once(dripping.on('error', () => undefined).resume(), 'close');
    clearInterval(drip);
  });

  it('B14 does one thing at a time for technicians, however many ask: an operator waits for no crowd', async () => {
    const check = `${JSON.stringify({ v: 1, verb: 'check', args: [], options: {} })}\n`;
    const answers = await Promise.all(Array.from({ length: 8 }, () => askRaw(pair.technicians, check)));
    const busy = answers.filter((answer) => answer.includes('"code":"UPDATER_BUSY"'));
    const done = answers.filter((answer) => answer.includes('"exit":'));
    expect([busy.length + done.length, done.length]).toEqual([8, 1]);
    expect(await askRaw(pair.technicians, check)).toMatch(/"exit":/);
  });

  it('B11 says which service does not answer', async () => {
    expect((await runJson('sealane-site', ['status', '--service', path.join(dir, 'nobody.sock')])).json).toMatchObject({
      error: { code: 'UPDATER_UNREACHABLE' },
    });
  });
});

describe('T11 remote code in fetch', () => {
  let site: TestSite;
  let pair: TwoProcesses;
  let server: Server;
  let says = 'never';
  let asks = 0;
  beforeAll(async () => {
    site = await enrolSite(lane, path.join(dir, 'taken'), { yaml: 'pollSeconds: 3600' });
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        asks += 1;
        if (says !== 'never') socket.end(says);
      });
    });
    await new Promise<void>((resolve) => server.listen(path.join(site.dir, 'fetch.sock'), resolve));
    pair = await startTwoProcesses(site, { fetch: 'none' });
  });
  afterAll(async () => {
    await pair.stop();
    server.close();
  });

  const asked = async (): Promise<void> => {
    for (asks = 0; asks === 0;) await wait(20);
  };

  it('that never answers is waited for by the service and by an update, and by no person who holds or lifts a hold', async () => {
    await asked();
    const again = asked();
    expect(await pair.must(['hold', '--reason', 'the crane moves'])).toMatchObject({ hold: { reason: 'the crane moves' } });
    // the service goes on with what gave way
    await again;
    says = '';
    expect(await pair.must(['unhold'])).toMatchObject({ lifted: ['the hold is lifted'] });
    says = 'never';
    const update = pair.ask(['update']);
    await asked();
    expect(await pair.must(['hold', '--reason', 'again'])).toMatchObject({ hold: { reason: 'again' } });
    expect((await update).json).toMatchObject({ error: { code: 'INTERRUPTED' } });
    says = '';
    await pair.must(['unhold']);
  });

  it.each([
    ['nothing', ''],
    ['no line', '{"v":1,"brought":null,"rest":"here"}'],
    ['a digest of what is not there', `{"v":1,"brought":"sha256:${'ab'.repeat(32)}","rest":"here"}\n`],
    ['a verdict', '{"v":1,"brought":null,"rest":"here","install":true}\n'],
    ...['TRUST_SIGNATURE', 'CONTENT_DIGEST', 'LOG_FORK', 'SITE_RETIRED', 'INTERNAL'].map((code): [string, string] => [
      `a code that is not its own to say, ${code},`,
      `{"v":1,"brought":null,"rest":"here","code":"${code}"}\n`,
    ]),
    ['a path', '{"v":1,"brought":"/etc/passwd","rest":"here"}\n'],
    ['another version', '{"v":2,"brought":null,"rest":"here"}\n'],
    ['an endless line', `"${'x'.repeat(100_000)}`],
    ['bytes', '\u0000\u0001\n'],
  ])('that says %s is one without news: nothing is installed, trust stays', async (_what, text) => {
    says = text;
    const trust = readFileSync(path.join(site.state, 'trust.json'), 'utf8');
    const answer = await pair.ask(['update']);
    expect({ exit: answer.exit, code: answer.json.error?.code ?? answer.json.reason }).toEqual({ exit: 6, code: 'FETCH_FAILED' });
    expect(readFileSync(path.join(site.state, 'trust.json'), 'utf8')).toBe(trust);
    expect(versionOnDisk(site.state)).toBe(undefined);
    expect(receiptsOf(site)).toEqual([]);
  });

  it('that says what it ran into puts off what it was asked for, and no more', async () => {
    says = '{"v":1,"brought":null,"rest":"here","code":"DISK_SHORT"}\n';
    expect(await pair.must(['update'], 5)).toMatchObject({ outcome: 'deferred', reason: 'DISK_SHORT', release: null });
    expect(await pair.must(['status'])).toMatchObject({ state: 'idle', refused: null, link: { code: 'DISK_SHORT' } });
    expect(receiptsOf(site)).toEqual([]);
  });

  it('that fills the mirror with bytes of its own installs nothing: apply reads them itself', async () => {
    const metadata = path.join(site.dir, 'fetched', 'mirror', 'trust', 'metadata');
    mkdirSync(metadata, { recursive: true });
    const forged = '{"signed":{"_type":"timestamp"},"signatures":[]}';
    writeFileSync(path.join(metadata, 'timestamp.json'), forged);
    says = `{"v":1,"brought":"sha256:${createHash('sha256').update(forged).digest('hex')}","rest":"here"}\n`;
    expect(await pair.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/^TRUST_/) });
    expect(versionOnDisk(site.state)).toBe(undefined);
  });

  it('that always has more to come is asked no more than an honest one could be: nobody waits for it for ever', async () => {
    const timestamp = readFileSync(path.join(site.dir, 'fetched', 'mirror', 'trust', 'metadata', 'timestamp.json'));
    says = `{"v":1,"brought":"sha256:${createHash('sha256').update(timestamp).digest('hex')}","rest":"coming"}\n`;
    asks = 0;
    expect(await pair.must(['mirror', 'sync'], 6)).toMatchObject({ outcome: 'partial' });
    expect(asks).toBeLessThan(4);
    expect(await pair.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/^TRUST_/) });
  });
});
