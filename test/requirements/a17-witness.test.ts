/** A witness is replaced: what was decided under the old one stands, what comes after needs the new one, and the old one's key makes nothing new. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Policy } from '@sealane/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLaneTrust } from '../../packages/promoter/src/trust/lane-trust.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { editPipeline } from '../support/owners.js';
import { type Server, startServer } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
let successor: Server;
let first: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a17-witness-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
  first = await lane.release('1.0.0');
  await lane.promote(first);
  const key = path.join(dir, 'successor.pem');
  await lane.sealane(['key', 'create', key, '--type', 'ed25519']);
  const words = ['--state', path.join(dir, 'successor'), '--log', path.join(lane.home, 'log.vkey'), '--listen', '127.0.0.1:0'];
  successor = await startServer('sealane', ['witness', 'serve', ...words, '--key', `file:${key}`]);
});

afterAll(async () => {
  await site.stop();
  await successor.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function publish(): Promise<void> {
  for (const owner of ['targets-1', 'targets-2'])
    await lane.sealane(['trust', 'sign', path.join(lane.home, 'proposal.json'), '--key', owner]);
  await lane.sealane(['trust', 'publish']);
}

test('A17 a new witness takes the place of an old one, which has gone, and the site that was offline follows', async () => {
  const [old = ''] = policy()?.witnesses ?? [];
  editPipeline(lane, old, successor.vkey ?? '');
  editPipeline(lane, lane.witness.url, successor.url);
  const { changes } = await lane.sealane(['trust', 'propose'], 5);
  expect((changes as string[]).join('\n')).toMatch(/pastWitnesses/);
  await lane.witness.stop();
  await publish();
  expect(policy()).toMatchObject({ witnesses: [successor.vkey], pastWitnesses: [{ vkey: old }] });
  // decided under the old witness
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: first });
  const second = await lane.release('1.1.0');
  await lane.promote(second);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: second });
});

test('A17 what the old witness alone has seen since is not witnessed', async () => {
  const third = await lane.release('1.2.0');
  await successor.stop();
  await lane.evidence(third);
  expect((await lane.sealane(['promote', third, '--to', 'dev'], 5)).error?.code ?? 'pending').toMatch(/pending|LOG_WITNESS/);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
});

/** The policy of prod that is published. */
function policy(): Policy | undefined {
  return readLaneTrust({ trust: path.join(lane.lane, 'trust') }, ['prod']).stages.get('prod')?.policy;
}
