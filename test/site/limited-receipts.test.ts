/** Rows A24 and B10: a site that has had its bytes of receipts in the log is told to wait, keeps what it has and asks no more meanwhile; nobody else is held up. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import type { Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let server: Server;
const sites: TestSite[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-limited-'));
  lane = await makeLane(dir);
  // the batch that goes over it is the last one
  server = await startService(lane, 'apiVersion: sealane/v1\nkind: Service\nlimits: { receiptBytesPerHour: 1 }\n');
  await lane.promote(await lane.release('1.0.0'));
});

afterAll(async () => {
  await Promise.all([...sites.map((site) => site.stop()), server.stop(), lane.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

async function enrolled(name: string): Promise<TestSite> {
  const site = await enrolSite(lane, path.join(dir, name), { name, receiptsTo: server.url });
  sites.push(site);
  await site.must(['update']);
  return site;
}

const logged = async (name: string): Promise<readonly number[]> => {
  const { answer } = await lane.sealane(['audit', 'at', name]);
  return (answer.history as { seq: number }[]).map(({ seq }) => seq);
};
const unsent = async (site: TestSite): Promise<unknown> => (await site.must(['status'])).receiptsQueued;
const refusals = (): number => server.stderr().split('"msg":"refused a receipt"').length - 1;

it('A24 B10 receipts beyond the bytes of a site stay queued there, once asked for and not again; those of another site are taken', async () => {
  const busy = await enrolled('quay-1');
  expect(await logged('quay-1')).toEqual([1]);
  await lane.promote(await lane.release('1.1.0'));
  for (const outcome of ['installed', 'unchanged', 'unchanged']) expect(await busy.must(['update'])).toMatchObject({ outcome });
  expect({ logged: await logged('quay-1'), unsent: await unsent(busy), refusals: refusals() }).toEqual({
    logged: [1],
    unsent: 1,
    refusals: 1,
  });
  expect(server.stderr()).toContain('"code":"CALLER_LIMITED"');

  await enrolled('quay-2');
  expect(await logged('quay-2')).toEqual([1]);
});

it('A24 a site is told how long to wait, and nothing else', async () => {
  const answer = await post(sites[0]!, (text) => text);
  expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 429, text: 'refused\n' });
  const seconds = Number(answer.headers.get('retry-after'));
  expect({ seconds, isInTheHour: seconds > 3000 && seconds <= 3600 }).toMatchObject({ isInTheHour: true });
});

it('A24 what somebody else says in the name of a site costs the site nothing', async () => {
  const site = await enrolSite(lane, path.join(dir, 'quay-3'), { name: 'quay-3', receiptsTo: server.url });
  sites.push(site);
  expect((await post(sites[0]!, (text) => text.replace('"site":"quay-1"', '"site":"quay-3"'))).status).toBe(400);
  await site.must(['update']);
  expect(await logged('quay-3')).toEqual([1]);
});

it('B10 what stayed there is taken by hand, or when the wait is over', async () => {
  const [busy] = sites;
  const folder = path.join(dir, 'carried');
  await busy!.must(['receipt', 'export', folder]);
  await lane.sealane(['statement', 'add', ...readdirSync(folder).map((name) => path.join(folder, name))]);
  expect(await logged('quay-1')).toEqual([1, 2]);
  await lane.promote(await lane.release('1.2.0'));
  expect(await busy!.must(['update'])).toMatchObject({ outcome: 'installed' });
  expect(await logged('quay-1')).toEqual([1, 2]);
  // a restart forgives, and this is another address: nobody asked for a pause there
  await server.stop();
  server = await startService(lane, 'apiVersion: sealane/v1\nkind: Service\n');
  writeFileSync(busy!.config, readFileSync(busy!.config, 'utf8').replace(/^receiptsTo: .*$/m, `receiptsTo: ${server.url}`));
  await busy!.must(['update']);
  expect(await logged('quay-1')).toEqual([1, 2, 3]);
});

/** Posts the last receipt of a site, altered. */
function post({ state }: TestSite, alter: (payload: string) => string): Promise<Response> {
  const folder = path.join(state, 'receipts');
  const last =
    readdirSync(folder)
      .filter((name) => /^\d{8}\.json$/.test(name))
      .at(-1) ?? '';
  const bundle = JSON.parse(readFileSync(path.join(folder, last), 'utf8')) as { dsseEnvelope: { payload: string } };
  const payload = alter(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
  const altered = { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload: Buffer.from(payload).toString('base64') } };
  return fetch(`${server.url}/api/v1/receipts`, { method: 'POST', body: JSON.stringify([altered]) });
}
