/**
 * Rows B10, T9 and T11: a site lets go of a receipt when the log shows it, not when somebody says that it arrived. `fetch` that lies and a server in the middle that keeps receipts for itself
 * make none vanish; what they kept is sent again.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createWebServer, type Server as WebServer } from 'node:http';
import { createServer, type Server as SocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson, type Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { receiptsOf } from '../support/site-world.js';
import { askRaw, startFetch, startTwoProcesses } from '../support/two-processes.js';

const DAY_MS = 24 * 60 * 60 * 1000;

let dir: string;
let lane: TestLane;
let server: Server;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-shown-'));
  lane = await makeLane(dir);
  server = await startService(lane, 'apiVersion: sealane/v1\nkind: Service\nissuers: []\ncallers: []\n');
  await lane.promote(await lane.release('1.0.0'));
});

afterAll(async () => {
  await server.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const numbersIn = (folder: string): readonly string[] =>
  existsSync(folder) ? readdirSync(folder).filter((name) => /^\d{8}\.json$/.test(name)) : [];
const waiting = ({ state }: TestSite): readonly string[] => numbersIn(path.join(state, 'receipts'));
const letGo = ({ state }: TestSite): readonly string[] => numbersIn(path.join(state, 'receipts', 'sent'));
const counts = async (site: TestSite): Promise<object> => {
  const { receiptsQueued, receiptsUnshown } = await site.must(['status']);
  return { queued: receiptsQueued, unshown: receiptsUnshown };
};

/** The lane is signed anew, as it is each day. */
const signAnew = (): Promise<object> => lane.sealane(['publish', '--refresh']);

/** Sets keys of `site.yaml`. */
function configure(site: TestSite, more: object): void {
  writeFileSync(site.config, stringify({ ...parse(readFileSync(site.config, 'utf8')), ...more }));
}

/** An update at the site as it is after so many days. */
async function updateAfter(site: TestSite, days: number): Promise<void> {
  const env = { NODE_OPTIONS: clockAhead(days * DAY_MS).node?.join(' ') ?? '' };
  await expectJson('sealane-site', ['update', '--config', site.config, '--state', site.state], 0, { env });
}

/** What the log has of a site, by number. */
async function logged(name: string): Promise<readonly number[]> {
  const { answer } = await lane.sealane(['audit', 'at', name]);
  return (answer.history as { seq: number }[]).map(({ seq }) => seq);
}

function digestsIn(body: string): readonly string[] {
  const bundles = JSON.parse(body) as { dsseEnvelope: { payload: string } }[];
  return bundles.map(
    ({ dsseEnvelope }) => `sha256:${createHash('sha256').update(Buffer.from(dsseEnvelope.payload, 'base64')).digest('hex')}`,
  );
}

describe('B10 receipts over a link', () => {
  it('B10 are kept when a promoter took them, and let go when the lane shows them in its log; a poll that finds nothing new asks for no more', async () => {
    const site = await enrolSite(lane, path.join(dir, 'honest'), { name: 'quay-1', upstreams: [server.url], receiptsTo: server.url });
    await site.must(['update']);
    expect({ ...(await counts(site)), waiting: waiting(site), letGo: letGo(site) }).toEqual({
      queued: 0,
      unshown: 1,
      waiting: ['00000001.json'],
      letGo: [],
    });
    await site.must(['update']);
    expect(await counts(site)).toEqual({ queued: 0, unshown: 1 });
    await signAnew();
    expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
    expect({ ...(await counts(site)), waiting: waiting(site), letGo: letGo(site) }).toEqual({
      queued: 0,
      unshown: 0,
      waiting: [],
      letGo: ['00000001.json'],
    });
    expect(await logged('quay-1')).toEqual([1]);
    await site.stop();
  });
});

describe('T9 a server in the middle', () => {
  let site: TestSite;
  let middle: WebServer;
  let says: (digests: readonly string[]) => string;
  let taken = 0;
  let url = '';
  beforeAll(async () => {
    middle = createWebServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('end', () => {
        taken += 1;
        response.writeHead(201).end(says(digestsIn(body)));
      });
    });
    await new Promise<void>((resolve) => middle.listen(0, '127.0.0.1', resolve));
    const address = middle.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    site = await enrolSite(lane, path.join(dir, 'middle'), { name: 'quay-2', receiptsTo: url });
  });
  afterAll(async () => {
    await site.stop();
    middle.close();
  });

  it.each([
    ['nothing of where they are', 1, (): string => ''],
    ['that they are where another entry is', 2, (digests: readonly string[]): string => places(digests, 3)],
  ])('T9 that takes receipts and says %s makes none vanish; on day %i they are sent again', async (_what, days, answer) => {
    says = answer;
    const before = taken;
    await updateAfter(site, days);
    expect(taken).toBe(before + 1);
    await signAnew();
    await updateAfter(site, days);
    expect({ ...(await counts(site)), taken, waiting: waiting(site), letGo: letGo(site) }).toEqual({
      queued: 0,
      unshown: 1,
      taken: before + 1,
      waiting: ['00000001.json'],
      letGo: [],
    });
  });

  it('T9 that stays, and is not the only place, keeps none for long: a day later the next place is asked first', async () => {
    says = () => '';
    const other = await enrolSite(lane, path.join(dir, 'both'), { name: 'quay-4' });
    configure(other, { receiptsTo: [url, server.url] });
    const before = taken;
    await updateAfter(other, 1);
    expect({ taken, logged: await logged('quay-4') }).toEqual({ taken: before + 1, logged: [] });
    await updateAfter(other, 2);
    expect({ taken, logged: await logged('quay-4') }).toEqual({ taken: before + 1, logged: [1] });
    await other.stop();
  });

  it('T9 that is gone leaves nothing behind: the promoter gets them all, once, and the log shows them', async () => {
    configure(site, { receiptsTo: server.url });
    await updateAfter(site, 4);
    expect(await logged('quay-2')).toEqual([1]);
    await signAnew();
    await site.must(['update']);
    expect({ ...(await counts(site)), waiting: waiting(site), letGo: letGo(site) }).toEqual({
      queued: 0,
      unshown: 0,
      waiting: [],
      letGo: ['00000001.json'],
    });
    expect(await logged('quay-2')).toEqual([1]);
  });

  const places = (digests: readonly string[], logIndex: number): string =>
    JSON.stringify({ statements: digests.map((digest) => ({ predicateType: 'urn:sealane:receipt:v1', digest, logIndex })) });
});

describe('T11 fetch that lies', () => {
  it('T11 saying that all has arrived, it makes no receipt vanish, whatever it leaves in the mirror', async () => {
    const site = await enrolSite(lane, path.join(dir, 'lies'), { name: 'quay-3', receiptsTo: server.url, yaml: 'pollSeconds: 3600' });
    const mirror = path.join(site.dir, 'fetched');
    const honest = await startFetch(path.join(site.dir, 'honest.sock'), mirror);
    // an attacker's code in the middle of it: syncs are done, receipts are not
    const liar: SocketServer = createServer((socket) => {
      let order = '';
      socket.on('error', () => undefined);
      socket.setEncoding('utf8').on('data', (piece: string) => {
        order += piece;
        if (!order.endsWith('\n')) return;
        const { do: what, receipts = [] } = JSON.parse(order) as { do: string; receipts?: { bundle: object }[] };
        if (what !== 'flush') return void askRaw(path.join(site.dir, 'honest.sock'), order).then((answer) => socket.end(answer));
        const last = digestsIn(JSON.stringify(receipts.map(({ bundle }) => bundle))).at(-1) ?? null;
        // a place where nothing is yet: waiting for it would be for ever
        const body = `{"places":[[1,${Number.MAX_SAFE_INTEGER}]]}`;
        writeFileSync(
          path.join(mirror, 'mirror', 'receipts.json'),
          `{"body":${body},"sum":"${createHash('sha256').update(body).digest('hex')}"}`,
        );
        socket.end(`${JSON.stringify({ v: 1, brought: last, rest: 'here' })}\n`);
      });
    });
    await new Promise<void>((resolve) => liar.listen(path.join(site.dir, 'fetch.sock'), resolve));
    const pair = await startTwoProcesses(site, { fetch: 'none' });
    try {
      await pair.must(['update']);
      expect(await pair.must(['status'])).toMatchObject({ receiptsQueued: 0, receiptsUnshown: 1 });
      await signAnew();
      await pair.must(['update']);
      expect(await pair.must(['status'])).toMatchObject({ receiptsQueued: 0, receiptsUnshown: 1 });
      expect({ waiting: waiting(site), letGo: letGo(site) }).toEqual({ waiting: ['00000001.json'], letGo: [] });
      expect(await logged('quay-3')).toEqual([]);
    } finally {
      await pair.must(['stop']);
      await pair.stop();
      liar.close();
      await honest.stop();
    }
    // another fetch, a day later
    await updateAfter(site, 2);
    expect(await logged('quay-3')).toEqual([1]);
    await signAnew();
    await site.must(['update']);
    expect({ waiting: waiting(site), letGo: letGo(site) }).toEqual({ waiting: [], letGo: ['00000001.json'] });
    await site.stop();
  });
});

describe('B10 receipts by courier', () => {
  it('B10 a medium that comes back shows which of them arrived, and no one names the place', async () => {
    const site = await enrolSite(lane, path.join(dir, 'island'), { name: 'island-1', upstreams: [] });
    const medium = path.join(dir, 'stick');
    const carry = async (): Promise<void> => {
      await lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
      await site.must(['media', 'import', medium]);
      await site.must(['update']);
    };
    await carry();
    await lane.promote(await lane.release('2.0.0'));
    await carry();
    expect(waiting(site)).toEqual(['00000001.json', '00000002.json']);
    const out = path.join(dir, 'carried');
    await site.must(['receipt', 'export', out]);
    await lane.sealane(['statement', 'add', ...readdirSync(out).map((name) => path.join(out, name))]);
    await lane.promote(await lane.release('2.1.0'));
    await carry();
    expect({ waiting: waiting(site), letGo: letGo(site) }).toEqual({
      waiting: ['00000003.json'],
      letGo: ['00000001.json', '00000002.json'],
    });
    expect(receiptsOf(site).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    await site.stop();
  });
});
