/** Requests for a certificate: to the first place that takes one, whatever is wrong with what was learnt of places. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeDisk } from '../disk.js';
import { FakeClock } from '../testing/fake-clock.js';
import { askForCertificate } from './certify.js';
import { type PlaceOrder, plainPlace } from './routes/place.js';
import { openRoutes } from './routes/routes.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-certify-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a disk that does not give the file of routes keeps no request from its place, and is told of where none takes it', async () => {
  const refusing = (file: string, maxBytes: number): Uint8Array | undefined => {
    if (path.basename(file) === 'routes.json')
      throw Object.assign(new Error(`EIO: i/o error, read '${file}'`), { code: 'EIO', syscall: 'read' });
    return nodeDisk.read(file, maxBytes);
  };
  const world = { disk: { ...nodeDisk, read: refusing }, clock: new FakeClock(), random: () => 0, signal: new AbortController().signal };
  const ask = (...places: readonly string[]): ReturnType<typeof askForCertificate> =>
    askForCertificate(
      { do: 'certify', site: 'harbour-7', receiptsTo: places.map(plainPlace), order: 'as-they-work', request: {}, mirror: dir },
      world,
    );
  expect(await ask()).toEqual({ problem: expect.stringContaining('EIO') as string });
  expect(await ask(path.join(dir, 'out'))).toEqual({ problem: null });
  expect(readdirSync(path.join(dir, 'out'))).toEqual(['harbour-7.certificate-request']);
});

test('asked again, the places are asked as they are named, whoever seemed to work', async () => {
  const world = { disk: nodeDisk, clock: new FakeClock(), random: () => 0, signal: new AbortController().signal };
  const [left, works] = [path.join(dir, 'left'), path.join(dir, 'works')];
  const routes = openRoutes(dir, world, '', 60);
  routes.failed(left, 'unreachable');
  routes.save([left]);
  const ask = (order: PlaceOrder): ReturnType<typeof askForCertificate> =>
    askForCertificate(
      { do: 'certify', site: 'harbour-7', receiptsTo: [left, works].map(plainPlace), order, request: {}, mirror: dir },
      world,
    );
  const taken = (): readonly boolean[] => [left, works].map((place) => nodeDisk.list(place).length > 0);
  await ask('as-they-work');
  expect(taken()).toEqual([false, true]);
  await ask('as-named');
  expect(taken()).toEqual([true, true]);
});
