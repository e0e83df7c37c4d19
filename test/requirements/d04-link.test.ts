/** D4, question 23: a site measures its links with what it fetches anyway, its receipt tells it, and an auditor sets it beside the conditions of the runs. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canLink, type End, end, type Link, plug } from '../support/link.js';
import { type Answer, commandWords, runProgram, type Server, startListening } from '../support/run.js';
import { startService } from '../support/service.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { startTwoProcesses } from '../support/two-processes.js';
import { makeParityLane, type ParityLane } from './parity-lane.js';

const KBIT = 256;
const LAYER_BYTES = 600_000;

/** A run over a link that loses nothing and answers at once. */
const CONDITIONS = `apiVersion: sealane/v1
kind: Conditions
profiles: [{ profile: lab-lan, samples: 100, latencyMs: { p50: 100000, p95: 200000, p99: 300000 }, jitterMs: 1, lossPercent: 0, retransmitPercent: 0, failoverMs: null }]
`;

let it: ParityLane;
beforeAll(async () => {
  it = await makeParityLane('');
});
afterAll(async () => {
  await it.stop();
});

/** A release in prod that is `bytes` large, tested under the conditions. */
async function publish(version: string, bytes: number): Promise<string> {
  const release = await it.lane.release(version, { 'srv/data': randomBytes(bytes / 2).toString('latin1') });
  await it.tests(release, 'link', { conditions: CONDITIONS });
  await it.lane.promote(release);
  return release;
}

async function parity(site: TestSite): Promise<Answer['json']> {
  const { answer } = await it.lane.sealane(['audit', 'parity', site.name]);
  const { link, notSeen } = answer;
  return { link, notSeen };
}

describe.skipIf(!canLink())('over a real link (skipped where none can be made)', () => {
  let here: End;
  let center: End;
  let wan: Link;
  let server: Server;
  let site: TestSite;

  const inside = ({ enter }: End, program: 'sealane' | 'sealane-site', words: readonly string[]): [string, readonly string[]] => {
    const [enterWith, ...before] = enter;
    return [enterWith, [...before, process.execPath, ...commandWords(program, words)]];
  };
  const onSite = async (...words: readonly string[]): Promise<Answer> => {
    const ended = await runProgram(...inside(here, 'sealane-site', [...words, '--config', site.config, '--state', site.state, '--json']));
    return { ...ended, json: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) };
  };
  /** Bytes of the blob that is under way. */
  const underWay = (): number => {
    const folder = path.join(site.state, 'mirror', 'partial');
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return Math.max(0, ...names.map((name) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0));
  };

  beforeAll(async () => {
    [here, center] = [await end('10.79.0.1'), await end('10.79.1.1')];
    wan = plug('wan', here, center);
    const words = ['serve', '--listen', `${center.address}:0`, '--home', it.lane.home];
    server = await startListening(...inside(center, 'sealane', words));
    site = await enrolSite(it.lane, path.join(it.lane.dir, 'site'), { upstreams: [server.url], yaml: 'pollSeconds: 1' });
  });
  afterAll(async () => {
    await site.stop();
    await server.stop();
    here.stop();
    center.stop();
  });

  test('D4 a receipt tells what a throttled link brought at most, over all syncs of the release, and what broke off', async () => {
    const release = await publish('1.0.0', LAYER_BYTES);
    wan.rate(KBIT);
    const update = onSite('update');
    while (underWay() < LAYER_BYTES / 4) await new Promise((resolve) => setTimeout(resolve, 20));
    wan.cut();
    expect((await update).json).toMatchObject({ outcome: 'deferred', reason: 'FETCH_FAILED' });
    expect((await onSite('update')).json).toMatchObject({ outcome: 'deferred', reason: 'FETCH_FAILED' });
    const leftBytes = LAYER_BYTES - underWay();
    wan.mend();
    await expect.poll(async () => (await onSite('update')).json.outcome as string).toBe('installed');
    await takeReceipts();
    const { link, notSeen } = await parity(site);
    expect(notSeen).toEqual([]);
    expect(link).toMatchObject({ release, measured: [{ over: 'http', requests: expect.any(Number) as number }] });
    const [{ requests, unanswered, firstByteMs, bulkBytes, bulkMs }] = link.measured;
    // the one that was cut off, and the first of the update after it
    expect(unanswered).toBeGreaterThanOrEqual(2);
    expect(requests).toBeGreaterThan(unanswered);
    expect(firstByteMs).toBeGreaterThanOrEqual(0);
    expect(bulkBytes).toBeGreaterThanOrEqual(leftBytes / 2);
    // no more can have come than the link lets through; a quarter for what its buffers held when a span began
    expect((bulkBytes * 8) / bulkMs).toBeLessThan(KBIT * 1.25);
    const percent = `${Math.round((unanswered / requests) * 10_000) / 100} %`;
    expect(link.beside).toMatchObject({
      profile: 'lab-lan',
      differences: [{ over: 'http', what: 'loss', tested: '0 %', site: percent }],
      unknown: ['http rate'],
    });
    const { stdout: text } = await runProgram(
      process.execPath,
      commandWords('sealane', ['audit', 'parity', site.name, '--home', it.lane.home]),
    );
    expect(text).toContain(`  link http, as its fetch process measured: ${requests} requests, ${unanswered} without a whole answer`);
    expect(text).toContain(`  link http loss: tested 0 % (lab-lan), there ${percent}`);
  });

  test('D4 what a medium brings came over no link, and going back by hand over none either', async () => {
    await publish('1.1.0', 2000);
    const medium = path.join(it.lane.dir, 'medium');
    await it.lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
    wan.cut();
    expect((await onSite('media', 'import', medium)).exit).toBe(0);
    expect((await onSite('update')).json).toMatchObject({ outcome: 'installed' });
    expect((await onSite('rollback')).json).toMatchObject({ outcome: 'installed' });
    // the one before is in the log that the medium brought, and waits no more
    expect(receiptsOnDisk(site).map(({ event, link }) => [event, link === undefined])).toEqual([
      ['installed', true],
      ['rollback', true],
    ]);
  });

  /** Receipts are carried by hand: the way up is no part of what is measured. */
  async function takeReceipts(): Promise<void> {
    const out = path.join(it.lane.dir, 'receipts');
    await site.must(['receipt', 'export', out]);
    for (const name of readdirSync(out)) await it.lane.sealane(['statement', 'add', path.join(out, name)]);
  }
});

test('D4 where fetch is a service it measures as well; a lie of it is told as its word, or not at all, and changes nothing', async () => {
  const release = await publish('2.0.0', 40_000);
  const server = await startService(it.lane, 'apiVersion: sealane/v1\nkind: Service\nissuers: []\ncallers: []\n');
  const site = await enrolSite(it.lane, path.join(it.lane.dir, 'pair'), {
    name: 'harbour-9',
    upstreams: [server.url],
    receiptsTo: server.url,
    yaml: 'pollSeconds: 3600',
  });
  const pair = await startTwoProcesses(site);
  const lie = path.join(site.dir, 'fetched', 'mirror', 'measured.json');
  try {
    // its first round may have installed it already
    expect(await pair.must(['update'])).toMatchObject({ release });
    const { link } = await parity(site);
    expect(link).toMatchObject({ release, measured: [{ over: 'http', unanswered: 0 }], beside: { differences: [] } });
    expect(link.measured[0].bulkBytes).toBeGreaterThanOrEqual(20_000);
    const next = await publish('2.1.0', 1000);
    writeFileSync(lie, readFileSync(lie, 'utf8').replace('"unanswered":0', '"unanswered":-1'));
    expect(await pair.must(['update'])).toMatchObject({ outcome: 'installed', release: next });
    expect((await parity(site)).link).toMatchObject({ release: next });
    // a poll that finds nothing new leaves it as it is
    const bytes = readFileSync(lie);
    expect(await pair.must(['update'])).toMatchObject({ outcome: 'unchanged' });
    expect(readFileSync(lie)).toEqual(bytes);
  } finally {
    await pair.must(['stop']);
    await pair.stop();
    await server.stop();
  }
});

/** What the receipts of a site say, in their order. */
function receiptsOnDisk({ state }: TestSite): readonly { readonly event: string; readonly link?: object }[] {
  const folder = path.join(state, 'receipts');
  return readdirSync(folder)
    .filter((name) => /^\d+\.json$/.test(name))
    .map((name) => {
      const { dsseEnvelope } = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as { dsseEnvelope: { payload: string } };
      const { predicate } = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString()) as { predicate: never };
      return predicate;
    });
}
