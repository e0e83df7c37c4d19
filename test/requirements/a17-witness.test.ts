/** A witness is replaced: what was decided under the old one stands, what comes after needs the new one, and the old one's key makes nothing new. */
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cosign, parseCheckpoint, parseNote, signatureLine } from '@sealane/core';
import type { Policy } from '@sealane/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLaneTrust } from '../../packages/promoter/src/trust/lane-trust.js';
import { examplePem } from '../attacks/attacker.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { restartWitness } from '../support/log-key.js';
import { editPipeline } from '../support/owners.js';
import { runJson, type Server, startServer } from '../support/run.js';
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
  successor = await serveSuccessor('127.0.0.1:0');
});

afterAll(async () => {
  await site.stop();
  await successor.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function serveSuccessor(listen: string): Promise<Server> {
  const words = ['--state', path.join(dir, 'successor'), '--log', path.join(lane.home, 'log.vkey'), '--listen', listen];
  return await startServer('sealane', ['witness', 'serve', ...words, '--key', `file:${path.join(dir, 'successor.pem')}`]);
}

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
  const { keys } = await lane.sealane(['key', 'list']);
  const witnesses = (keys as { uses: string[]; untilIndex: number | null }[]).filter(({ uses }) =>
    uses[0]?.startsWith('cosigns as witness '),
  );
  expect(witnesses.map(({ untilIndex }) => untilIndex)).toEqual([null, expect.any(Number)]);
  // decided under the old witness
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: first });
  const second = await lane.release('1.1.0');
  await lane.promote(second);
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: second });
});

test('A17 what the old witness alone has seen since is not witnessed', async () => {
  const third = await lane.release('1.2.0');
  await lane.evidence(third);
  // somebody brings the old witness back and asks it in place of the new one, which is away
  await successor.stop();
  const back = await restartWitness(lane, lane.witness, path.join(lane.home, 'log.vkey'));
  try {
    editPipeline(lane, successor.vkey ?? '', back.vkey ?? '');
    editPipeline(lane, successor.url, back.url);
    const before = published();
    const seen = sizeSeenByOld();
    const promoted = await runJson('sealane', ['promote', third, '--to', 'dev', '--home', lane.home]);
    expect(promoted).toMatchObject({
      exit: 5,
      json: { decision: 'passed' },
      stderr: expect.stringContaining('which no published policy does'),
    });
    expect((await lane.sealane(['publish', '--refresh'], 4)).error.code).toBe('LOG_WITNESS');
    expect(sizeSeenByOld()).toBeGreaterThan(seen);
    expect(published()).toEqual(before);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
    // and it stands in nobody's way afterwards
    editPipeline(lane, back.vkey ?? '', successor.vkey ?? '');
    editPipeline(lane, back.url, successor.url);
    successor = await serveSuccessor(new URL(successor.url).host);
    await lane.sealane(['promote', third, '--to', 'dev']);
    expect(published()).not.toEqual(before);
  } finally {
    await back.stop();
  }
});

test('A17 a head of the log that the old witness cosigned is refused by the site, be it the very one that the new witness saw', async () => {
  const file = path.join(lane.lane, 'log', 'checkpoint');
  const kept = readFileSync(file, 'utf8');
  const { origin, text } = parseCheckpoint(kept);
  const own = parseNote(kept).signatures.filter(({ name }) => name === origin);
  const old = { name: 'witness.example', privateKey: createPrivateKey(examplePem('witness')) };
  const line = cosign(old, text, Math.floor(Date.now() / 1000));
  writeFileSync(file, `${text}\n${own.map(({ name, keyHash, blob }) => signatureLine(name, keyHash, blob)).join('')}${line}`);
  expect(await site.must(['check'], 4)).toMatchObject({ outcome: 'refused', reason: 'LOG_WITNESS' });
  writeFileSync(file, kept);
  expect(await site.must(['check'])).not.toMatchObject({ outcome: 'refused' });
});

/** How far the old witness has seen the log. */
function sizeSeenByOld(): number {
  const folder = path.join(dir, 'witness');
  const file = readdirSync(folder).find((name) => name.endsWith('.checkpoint'));
  return parseCheckpoint(readFileSync(path.join(folder, file ?? ''), 'utf8')).size;
}

/** Head of the log and timestamp, as they are published. */
function published(): readonly string[] {
  return ['log/checkpoint', 'trust/metadata/timestamp.json'].map((name) => readFileSync(path.join(lane.lane, name), 'utf8'));
}

/** The policy of prod that is published. */
function policy(): Policy | undefined {
  return readLaneTrust({ trust: path.join(lane.lane, 'trust') }, ['prod']).stages.get('prod')?.policy;
}
