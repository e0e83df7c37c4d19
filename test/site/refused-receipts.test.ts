/** Rows B10 and T9: a receipt that a promoter refuses holds none up that wait behind it; it is kept, told of, offered again, and let go when the log shows it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { runJson, type Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { enrolSite, type TestSite } from '../support/site.js';

const HOUR_MS = 60 * 60 * 1000;

let dir: string;
let lane: TestLane;
let server: Server;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-refused-'));
  lane = await makeLane(dir);
  server = await startService(lane, 'apiVersion: sealane/v1\nkind: Service\n');
  site = await enrolSite(lane, path.join(dir, 'site'), { name: 'quay-1' });
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
    await lane.promote(await lane.release(version));
    await site.must(['update']);
  }
});

afterAll(async () => {
  await site.stop();
  await server.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const receipts = (folder = ''): readonly string[] => {
  const at = path.join(site.state, 'receipts', folder);
  return existsSync(at) ? readdirSync(at).filter((name) => /^\d{8}\.json$/.test(name)) : [];
};
const where = (): object => ({ waiting: receipts(), sent: receipts('sent'), refused: receipts('refused') });
const logged = async (): Promise<readonly number[]> => {
  const { answer } = await lane.sealane(['audit', 'at', 'quay-1']);
  return (answer.history as { seq: number }[]).map(({ seq }) => seq);
};
const configure = (more: object): void => writeFileSync(site.config, stringify({ ...parse(readFileSync(site.config, 'utf8')), ...more }));

/** An update at the site as it is after so many hours; what it told people. */
async function updateAfter(hours: number): Promise<string> {
  const env = { NODE_OPTIONS: clockAhead(hours * HOUR_MS).node?.join(' ') ?? '' };
  const { exit, stderr } = await runJson('sealane-site', ['update', '--config', site.config, '--state', site.state], { env });
  expect(exit).toBe(0);
  return stderr;
}

const [FIRST, SECOND, THIRD] = ['00000001.json', '00000002.json', '00000003.json'];

it('T9 a server that refuses all makes none vanish: they are kept, and can be carried by hand', async () => {
  const liar = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(400).end('refused\n'));
  });
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
  const address = liar.address();
  configure({ receiptsTo: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` });
  await updateAfter(0);
  liar.closeAllConnections();
  liar.close();
  expect(where()).toEqual({ waiting: [], sent: [], refused: [FIRST, SECOND, THIRD] });
  const folder = path.join(dir, 'carried');
  expect(await site.must(['receipt', 'export', folder])).toMatchObject({ receipts: 3 });
  expect(readdirSync(folder)).toHaveLength(3);
  // as if it had been only the second: the others wait as they did
  for (const name of [FIRST, THIRD])
    renameSync(path.join(site.state, 'receipts', 'refused', name), path.join(site.state, 'receipts', name));
  renameSync(path.join(site.state, 'receipts', 'refused', SECOND), path.join(dir, SECOND));
});

it('B10 a receipt that the promoter refuses is set aside and told of; those behind it arrive and are let go', async () => {
  const kept = JSON.parse(readFileSync(path.join(dir, SECOND), 'utf8')) as { dsseEnvelope: { payload: string } };
  const payload = Buffer.from(kept.dsseEnvelope.payload, 'base64').toString().replace('"event":"installed"', '"event":"rolled-back"');
  const altered = { ...kept, dsseEnvelope: { ...kept.dsseEnvelope, payload: Buffer.from(payload).toString('base64') } };
  writeFileSync(path.join(site.state, 'receipts', SECOND), JSON.stringify(altered));
  configure({ receiptsTo: server.url });
  // what was handed to the liar is due again after a day
  expect(await updateAfter(25)).toContain('receipt 2 was refused: it is kept in receipts/refused, and offered again');
  expect(await logged()).toEqual([1, 3]);
  await lane.sealane(['publish', '--refresh']);
  await updateAfter(25);
  expect(where()).toEqual({ waiting: [], sent: [FIRST, THIRD], refused: [SECOND] });
  expect(await site.must(['status'])).toMatchObject({ receiptsQueued: 0, receiptsUnshown: 0, receiptsRefused: 1 });
});

it('B10 it is offered again when it is time, not at each poll, and leaves when the log shows it', async () => {
  const refusals = (): number => server.stderr().split('"msg":"refused a receipt"').length;
  const before = refusals();
  await updateAfter(25);
  expect(refusals()).toBe(before);
  // the promoter takes it now
  renameSync(path.join(dir, SECOND), path.join(site.state, 'receipts', 'refused', SECOND));
  await updateAfter(27);
  expect({ logged: await logged(), ...where() }).toMatchObject({ logged: [1, 2, 3], refused: [SECOND] });
  await lane.sealane(['publish', '--refresh']);
  await updateAfter(27);
  expect(where()).toEqual({ waiting: [], sent: [FIRST, SECOND, THIRD], refused: [] });
  expect((await lane.sealane(['audit', 'at', 'quay-1'])).answer).toMatchObject({ missing: [], doubts: [] });
});
