/** Row B10: the queue of a site that is cut off for long is bounded. Refusals are summed up, nothing else is; what was summed up is provable, and comes once. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseBundle, type ReceiptPredicate, readReceipt } from '@sealane/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import type { Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { enrolSite, siteAt, type TestSite } from '../support/site.js';

/** Two things that no site takes, each refused for another reason: a lane as it was, and one whose newest metadata is not what was signed. */
const LIES = { older: 'TRUST_ROLLBACK', bent: 'TRUST_THRESHOLD' } as const;

let dir: string;
let lane: TestLane;
let server: Server;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b10-queue-'));
  lane = await makeLane(dir);
  server = await startService(lane, 'apiVersion: sealane/v1\nkind: Service\nissuers: []\ncallers: []\n');
  await lane.promote(await lane.release('1.0.0'));
  site = await enrolSite(lane, path.join(dir, 'site'), { upstreams: [path.join(dir, 'offered')], yaml: 'receiptQueue: 16' });
  offer(lane.lane);
  await site.must(['update']);
  cpSync(lane.lane, path.join(dir, 'older'), { recursive: true, verbatimSymlinks: true });
  await lane.promote(await lane.release('1.1.0'));
  await site.must(['update']);
  cpSync(lane.lane, path.join(dir, 'bent'), { recursive: true, verbatimSymlinks: true });
  const timestamp = path.join(dir, 'bent', 'trust', 'metadata', 'timestamp.json');
  writeFileSync(timestamp, readFileSync(timestamp, 'utf8').replace(/"version":\d+/, '"version":9999'));
});

afterAll(async () => {
  await site.stop();
  await server.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What the upstream of the site shows from now on. */
function offer(folder: string): void {
  const link = path.join(dir, 'offered');
  rmSync(link, { force: true });
  symlinkSync(folder, link);
}

/** So many refusals, each for another reason than the one before. */
async function refuse(times: number): Promise<void> {
  for (let at = 0; at < times; at += 1) {
    const lie = at % 2 === 0 ? 'older' : 'bent';
    offer(path.join(dir, lie));
    expect(await site.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: LIES[lie] });
  }
}

function queued({ state }: TestSite): readonly ReceiptPredicate[] {
  const names = readdirSync(path.join(state, 'receipts')).filter((name) => /^\d+\.json$/.test(name));
  return names.map((name) => readReceipt(parseBundle(new Uint8Array(readFileSync(path.join(state, 'receipts', name)))).statement));
}

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

test.each([
  { points: ['update:summing-up'] },
  { points: ['update:summing-up', 'update:receipt-written'] },
  { points: ['update:summed-up'] },
])('B10 a queue that is over its bound is summed up once, also when it is killed at $points', async ({ points }) => {
  if (queued(site).length < 17) await refuse(15);
  expect(queued(site).map(({ event }) => event)).toEqual(['installed', 'installed', ...range(3, 17).map(() => 'refused')]);
  offer(path.join(dir, 'bent'));
  const copy = path.join(dir, points.join('-').replaceAll(':', '-'));
  cpSync(site.dir, copy, { recursive: true, verbatimSymlinks: true });
  const killed = siteAt(copy);
  for (const point of points) await killAt(point, 'sealane-site', ['update', '--config', killed.config, '--state', killed.state]);
  await killed.must(['update'], 4);
  const left = queued(killed);
  expect(left.map(({ seq, event }) => `${seq} ${event}`)).toEqual([
    ...range(1, 2).map((seq) => `${seq} installed`),
    ...range(11, 18).map((seq) => `${seq} refused`),
    '19 summed-up',
  ]);
  expect(left.at(-1)?.summary).toMatchObject({ runs: [{ from: 3, to: 10 }], count: 8, others: 0 });
  expect((await killed.must(['status'])).receiptsQueued).toBe(11);
});

test('B10 the promoter takes what is left in order and once; the auditor says what was summed up, and that nothing is missing', async () => {
  await refuse(16);
  expect(queued(site).length).toBeLessThanOrEqual(18);
  const config = readFileSync(site.config, 'utf8');
  writeFileSync(site.config, `${config}receiptsTo: ${server.url}\n`);
  offer(lane.lane);
  await site.must(['update']);
  await site.must(['update']);
  expect((await site.must(['status'])).receiptsQueued).toBe(0);
  const { answer, complete } = await lane.sealane(['audit', 'at', site.name]);
  const history = answer.history as { seq: number; event: string }[];
  const summedUp = answer.summedUp as { seq: number; count: number; runs: { from: number; to: number }[] }[];
  // the last one took in the first, number 19
  expect(summedUp.map(({ seq, runs }) => ({ seq, runs }))).toEqual([
    { seq: 27, runs: [{ from: 11, to: 18 }] },
    {
      seq: 35,
      runs: [
        { from: 3, to: 10 },
        { from: 19, to: 26 },
      ],
    },
  ]);
  expect(summedUp[0]).toMatchObject({
    count: 8,
    refused: [
      { reason: 'TRUST_ROLLBACK', release: null, count: 4 },
      { reason: 'TRUST_THRESHOLD', release: null, count: 4 },
    ],
    others: 0,
  });
  const numbers = [...history.map(({ seq }) => seq), ...summedUp.flatMap(({ runs }) => runs.flatMap(({ from, to }) => range(from, to)))];
  expect(numbers.sort((a, b) => a - b)).toEqual(range(1, 35));
  const told = history.filter(({ event }) => event === 'refused').length + summedUp.reduce((total, { count }) => total + count, 0);
  expect(told).toBe(30);
  expect({ missing: answer.missing, doubts: answer.doubts, complete }).toEqual({ missing: [], doubts: [], complete: true });
});
