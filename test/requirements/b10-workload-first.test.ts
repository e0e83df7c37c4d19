/** Row B10: what is installed runs, before anything is waited for that comes over a link: content may be on its way for hours, and who fetches may never answer. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-first-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
  await lane.promote(await lane.release('1.0.0'));
  await site.must(['update']);
});
afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const workload = (): number => JSON.parse(readFileSync(path.join(site.state, 'run', 'workload.json'), 'utf8')).body.pid;

test('B10 after a crash or a reboot the workload runs again before any upstream is asked', async () => {
  const before = workload();
  process.kill(-before, 'SIGKILL');
  const seen: number[] = [];
  const upstream = createServer((_request, response) => {
    seen.push(workload());
    response.writeHead(503).end();
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const yaml = readFileSync(site.config, 'utf8');
  writeFileSync(site.config, yaml.replace(/^upstreams: .*$/m, `upstreams: [${JSON.stringify(url)}]`));
  const { stderr } = await site.run(['update']);
  upstream.close();
  expect(stderr).toContain('was not running');
  expect(seen[0]).toEqual(expect.any(Number));
  expect(seen[0]).not.toBe(before);
  expect(new Set(seen), 'and it was started once').toEqual(new Set([workload()]));
  process.kill(workload(), 0);
});
