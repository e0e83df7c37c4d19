/** Row B3 over real links: namespaces with rates, losses and plugs that are pulled; the lane by `sealane serve`, a neighbour by its mirror. */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { canLink, type End, end, type Link, plug } from '../support/link.js';
import { type Answer, commandWords, runProgram, type Server, startListening } from '../support/run.js';
import { enrolSite, siteAt, type TestSite, versionOnDisk } from '../support/site.js';
import { requireProgram } from '../support/require-program.js';
import { authorityOf, issueTo } from '../support/tls.js';

/** A link of 256 kbit/s brings so much in ten seconds. */
const TEN_SECONDS_BYTES = (10 * 256_000) / 8;

/** Of the layer that all is about; random, so that nothing makes it smaller. */
const LAYER_BYTES = 600_000;

const openssl = requireProgram('openssl');

describe.skipIf(!canLink() || openssl === undefined)('B3 routes (skipped where no links can be made, and without openssl)', () => {
  let dir: string;
  let lane: TestLane;
  let here: End;
  let wan: Link;
  let lan: Link;
  let stops: (() => unknown)[];
  let central: string;
  let neighbour: string;
  let base: TestSite;
  let release: string;
  let scenes = 0;
  let site: TestSite;

  const inside = ({ enter }: End, program: 'sealane' | 'sealane-site', words: readonly string[]): [string, readonly string[]] => {
    const [enterWith, ...before] = enter;
    return [enterWith, [...before, process.execPath, ...commandWords(program, words)]];
  };
  const start = async (at: End, program: 'sealane' | 'sealane-site', words: readonly string[]): Promise<Server> => {
    const server = await startListening(...inside(at, program, words));
    stops.push(server.stop);
    return server;
  };
  /** Runs a command of the site at its end of the links. */
  const onSite = async (...words: readonly string[]): Promise<Answer> => {
    const ended = await runProgram(...inside(here, 'sealane-site', [...words, '--config', site.config, '--state', site.state, '--json']));
    return { ...ended, json: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) };
  };
  const expectUpdate = async (exit: number, what: object): Promise<void> => {
    const answer = await onSite('update');
    expect({ exit: answer.exit, ...answer.json }, answer.stderr).toMatchObject({ exit, ...what });
  };
  const configure = (upstreams: readonly unknown[], more = ''): void => {
    const kept = readFileSync(base.config, 'utf8').replace(/^upstreams: .*\n/gm, '');
    writeFileSync(site.config, `upstreams: ${JSON.stringify(upstreams)}\n${more}${kept}`);
  };
  /** The site as it was before the release, with upstreams of its own. */
  const setScene = (upstreams: readonly unknown[], more?: string): void => {
    const to = path.join(dir, `scene-${(scenes += 1)}`);
    cpSync(base.dir, to, { recursive: true, verbatimSymlinks: true });
    site = siteAt(to);
    configure(upstreams, more);
  };
  /** Waits until more of the layer than that is under way, or the update has ended. */
  const underWayIn = async (update: Promise<Answer>, bytes: number): Promise<void> => {
    const ended = new AbortController();
    void update.then(() => ended.abort());
    while (!ended.signal.aborted && underWay() <= bytes) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  /** Bytes of the blob that is under way. */
  const underWay = (): number => {
    const folder = path.join(site.state, 'mirror', 'partial');
    const sizes = (existsSync(folder) ? readdirSync(folder) : []).map(
      (name) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
    );
    return Math.max(0, ...sizes);
  };
  const knownOf = (at: string): { readonly left: string | null; readonly level: number; readonly good: number } | undefined => {
    const file = path.join(site.state, 'mirror', 'routes.json');
    return JSON.parse(readFileSync(file, 'utf8')).body.places[at];
  };
  const leftFor = (at: string): string | null | undefined => knownOf(at)?.left;
  const tls = (name: string): Record<string, string> => ({
    ca: path.join(dir, 'sites.pem'),
    certificate: path.join(dir, `${name}.pem`),
    key: path.join(dir, `${name}.key`),
  });
  const content = (at: string, more: object = {}): object => ({ at, carries: ['content'], ...more });
  const trust = (at: string): object => ({ at, carries: ['trust'] });

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-b03-'));
    lane = await makeLane(dir);
    stops = [lane.stop];
    here = await end('10.77.0.1');
    const [center, near] = [await end('10.77.1.1'), await end('10.77.2.1')];
    wan = plug('wan', here, center);
    lan = plug('lan', here, near);
    authorityOf(dir, 'sites');
    issueTo(dir, 'sites', 'harbour-7', here.address);
    issueTo(dir, 'sites', 'harbour-8', near.address);
    authorityOf(dir, 'pirates');
    issueTo(dir, 'pirates', 'pirate', here.address);
    await lane.promote(await lane.release('1.0.0'));
    base = await enrolSite(lane, path.join(dir, 'site'), { yaml: 'pollSeconds: 1' });
    await base.must(['update']);
    await base.stop();
    release = await lane.release('1.1.0', { 'srv/data': randomBytes(LAYER_BYTES / 2).toString('latin1') });
    await lane.promote(release);
    const neighbours = `neighbours: ${JSON.stringify({ listen: `${near.address}:0`, tls: tls('harbour-8') })}`;
    const next = await enrolSite(lane, path.join(dir, 'near'), { name: 'harbour-8', yaml: neighbours });
    await next.must(['mirror', 'sync']);
    central = (await start(center, 'sealane', ['serve', '--listen', `${center.address}:0`, '--home', lane.home])).url;
    const serve = ['mirror', 'serve', '--listen', '127.0.0.1:0', '--config', next.config, '--state', next.state];
    neighbour = (await start(near, 'sealane-site', serve)).first['neighbours'] ?? '';
    stops.push(here.stop, center.stop, near.stop);
  });

  afterEach(async () => {
    await site.stop();
    for (const link of [wan, lan]) {
      link.mend();
      link.lose(0);
      link.rate(50_000);
    }
  });

  afterAll(async () => {
    for (const stop of stops) await stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('B3 over 256 kbit/s a fence is obeyed within ten seconds of link, under a download at full rate; then it goes on where it was', async () => {
    setScene([central]);
    wan.rate(256);
    const update = onSite('update');
    await underWayIn(update, 100_000);
    await lane.sealane(['site', 'fence', 'harbour-7', '--reason', 'the crane moves']);
    const from = wan.received();
    const fenced = await update;
    expect({ exit: fenced.exit, reason: fenced.json.reason }, fenced.stderr).toEqual({ exit: 3, reason: 'SITE_FENCED' });
    expect(wan.received() - from).toBeLessThan(TEN_SECONDS_BYTES);
    expect(versionOnDisk(site.state)).toBe('1.0.0');
    await lane.sealane(['site', 'rejoin', 'harbour-7', '--reason', 'it stands']);
    wan.rate(50_000);
    const had = underWay();
    const before = wan.received();
    await expectUpdate(0, { outcome: 'installed', release });
    expect(had).toBeGreaterThan(100_000);
    expect(wan.received() - before).toBeLessThan(LAYER_BYTES - had + 100_000);
  });

  test('B3 content comes from the neighbour over mutual TLS, trust from the centre; without the neighbour from the centre; it comes back after three good answers', async () => {
    setScene([trust(central), content(neighbour, { tls: tls('harbour-7') }), content(central)]);
    const before = wan.received();
    expect((await onSite('mirror', 'sync')).json).toMatchObject({ outcome: 'synced' });
    expect(wan.received() - before).toBeLessThan(LAYER_BYTES / 4);

    setScene([trust(central), content(neighbour, { tls: tls('harbour-7') }), content(central)]);
    lan.cut();
    await expectUpdate(0, { outcome: 'installed', release });
    expect(leftFor(neighbour)).toBe('unreachable');
    lan.mend();
    let polls = 0;
    for (; leftFor(neighbour) !== null; polls += 1) await onSite('mirror', 'sync');
    expect(polls).toBeGreaterThanOrEqual(3);
  });

  test('B3 a stranger gets nothing of the neighbour', async () => {
    setScene([trust(central), content(neighbour, { tls: { ...tls('pirate'), ca: path.join(dir, 'sites.pem') } })]);
    await expectUpdate(6, { outcome: 'deferred', reason: 'FETCH_FAILED', release });
    expect(versionOnDisk(site.state)).toBe('1.0.0');
  });

  test('B3 what a lying upstream has wrong another one has right; the liar is left and nothing is refused', async () => {
    const liar = path.join(dir, 'liar');
    cpSync(lane.lane, liar, { recursive: true });
    const blobs = path.join(liar, 'content', 'blobs', 'sha256');
    for (const name of readdirSync(blobs)) {
      const bytes = readFileSync(path.join(blobs, name));
      if (bytes.length > LAYER_BYTES / 4) writeFileSync(path.join(blobs, name), bytes.fill(0, 1000, 2000));
    }
    setScene([trust(central), content(liar), content(central)]);
    await expectUpdate(0, { outcome: 'installed', release });
    expect(leftFor(liar)).toBe('wrong');
  });

  test('B3 a link that loses packets and breaks in the middle of a download is resumed', async () => {
    setScene([central]);
    wan.rate(4000);
    wan.lose(0.03);
    const before = wan.received();
    const first = onSite('update');
    await underWayIn(first, 100_000);
    wan.cut();
    // a connection stays half open until somebody gives up on it
    const { exit, json } = await first;
    expect({ exit, reason: json.reason }).toEqual({ exit: 6, reason: 'FETCH_FAILED' });
    wan.mend();
    await expectUpdate(0, { outcome: 'installed', release });
    expect(versionOnDisk(site.state)).toBe('1.1.0');
    expect(wan.received() - before).toBeLessThan(LAYER_BYTES * 1.5);
  });

  test('B3 a slow upstream is left for the next one', async () => {
    wan.rate(256);
    setScene([trust(central), content(central, { minBytesPerSecond: 60_000 }), content(neighbour, { tls: tls('harbour-7') })]);
    // what is left comes back after three good polls, and this update is several
    writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('pollSeconds: 1\n', 'pollSeconds: 60\n'));
    await expectUpdate(0, { outcome: 'installed', release });
    expect(leftFor(central)).toBe('slow');
    expect(leftFor(neighbour)).toBe(null);
  });

  test('B3 one that comes and goes is not gone back to before it has answered three times in a row, and is looked at ever more rarely', async () => {
    setScene([trust(lane.lane), content(central), content(neighbour, { tls: tls('harbour-7') })]);
    wan.cut();
    await expectUpdate(0, { outcome: 'installed', release });
    for (const flaps of [1, 2, 3]) {
      expect(knownOf(central)).toMatchObject({ left: 'unreachable', level: flaps, good: 0 });
      wan.mend();
      while (knownOf(central)?.good === 0) await onSite('mirror', 'sync');
      expect(leftFor(central)).toBe('unreachable');
      wan.cut();
      while (knownOf(central)?.level === flaps) await onSite('mirror', 'sync');
    }
    expect(leftFor(neighbour)).toBe(null);
    wan.mend();
    while (leftFor(central) !== null) await onSite('mirror', 'sync');
  });

  test('B3 in the hours that site.yaml names content comes as slowly as it says and a fence as ever; in others at full rate', async () => {
    const bytesPerSecond = 20_000;
    const hour = (ahead: number): string => `${new Date(Date.now() + ahead * 3_600_000).toISOString().slice(11, 13)}:00`;
    const limited = (from: number, to: number): object => ({
      rates: { timeZone: 'UTC', limits: [{ from: hour(from), to: hour(to), bytesPerSecond }] },
    });
    setScene([trust(central), content(central, limited(-1, 2))]);
    const began = performance.now();
    const update = onSite('update');
    await underWayIn(update, 80_000);
    // no bound of the machine: a slow one makes it slower
    expect(underWay()).toBeLessThan(bytesPerSecond * ((performance.now() - began) / 1000 + 2));
    await lane.sealane(['site', 'fence', 'harbour-7', '--reason', 'the crane moves']);
    expect((await update).json).toMatchObject({ outcome: 'refused', reason: 'SITE_FENCED' });
    await lane.sealane(['site', 'rejoin', 'harbour-7', '--reason', 'it stands']);
    configure([trust(central), content(central, limited(3, 4))]);
    await expectUpdate(0, { outcome: 'installed', release });
  });

  test('B3 a data budget defers content, never trust; another upstream is asked first', async () => {
    setScene([trust(central), content(central, { dailyBytes: 200_000 })]);
    const before = wan.received();
    await expectUpdate(5, { outcome: 'deferred', reason: 'BUDGET_SPENT', release });
    expect(wan.received() - before).toBeLessThan(300_000);
    expect(versionOnDisk(site.state)).toBe('1.0.0');
    await lane.sealane(['site', 'fence', 'harbour-7', '--reason', 'an audit']);
    await expectUpdate(3, { outcome: 'refused', reason: 'SITE_FENCED' });
    await lane.sealane(['site', 'rejoin', 'harbour-7', '--reason', 'it is over']);
    configure([trust(central), content(central, { dailyBytes: 200_000 }), content(neighbour, { tls: tls('harbour-7') })]);
    await expectUpdate(0, { outcome: 'installed', release });
  });

  test('B3 receipts go to the first place that takes them', async () => {
    setScene([central], `receiptsTo: ["http://10.77.9.9:80", "${central}"]\n`);
    await expectUpdate(0, { outcome: 'installed', release });
    expect((await onSite('status')).json).toMatchObject({ receiptsQueued: 0 });
    expect(leftFor('http://10.77.9.9:80')).toBe('unreachable');
  });
});
