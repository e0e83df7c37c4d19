/** A24: the service killed in mid-promotion loses and doubles nothing; two callers at once get one decision; asked to stop it ends what it has begun. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRELOAD, TOUCH } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import type { Server } from '../support/run.js';
import { api, type ApiAnswer, GITHUB_CLAIMS, type Issuer, serviceYaml, startIssuer, startService } from '../support/service.js';

const POINTS = ['ledger:committed', 'promote:decision-logged', 'ledger:tiles-published', 'publish:snapshot-written'];

let dir: string;
let lane: TestLane;
let github: Issuer;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-service-kill-'));
  [lane, github] = await Promise.all([makeLane(dir), startIssuer(dir, 'github', GITHUB_CLAIMS)]);
});

afterAll(async () => {
  await Promise.all([lane.stop(), github.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

/** A release that dev will take. */
async function candidate(version: string): Promise<string> {
  const release = await lane.release(version);
  await lane.evidence(release);
  return release;
}

const start = (options: Parameters<typeof startService>[2] = {}): Promise<Server> => startService(lane, serviceYaml({ github }), options);

async function promote(service: Server, release: string): Promise<ApiAnswer> {
  return await api(service, `POST /api/v1/releases/${release}/promotions`, { token: await github.token(), body: { to: 'dev' } });
}

/** Points of the second batch: the first one is the question that came first, the second those that came meanwhile. */
const BATCH_POINTS = ['promote:decision-logged#2', 'ledger:tiles-published#2', 'publish:log-written#2'];

/** Digests of the decisions that let the release into dev, and whether the ledger is sound. */
async function passedDecisions(release: string): Promise<readonly string[]> {
  expect((await lane.sealane(['audit', 'verify'])).answer).toMatchObject({ ok: true, problems: [] });
  const { decisions } = (await lane.sealane(['audit', 'trace', release])).answer;
  return (decisions as { stage: string; result: string; statement: string }[])
    .filter(({ stage, result }) => stage === 'dev' && result === 'PASSED')
    .map(({ statement }) => statement);
}

describe('A24 the service', () => {
  it.each(POINTS.map((point, at) => [point, `1.${at}.0`] as const))(
    'A24 killed at %s and started again, the same request resumes: one decision, published',
    async (point, version) => {
      const release = await candidate(version);
      const doomed = await start({ node: ['--import', PRELOAD], env: { SEALANE_KILL_AT: point } });
      await expect(promote(doomed, release)).rejects.toThrow();
      expect(await doomed.ended).toBe('SIGKILL');
      const service = await start();
      try {
        const { exit, json } = await promote(service, release);
        expect({ exit, decision: json.decision }).toEqual({ exit: '0', decision: 'passed' });
        expect(await passedDecisions(release)).toEqual([json.statement]);
        expect((await lane.sealane(['channel', 'show', 'dev'])).groups[0].release).toBe(release);
      } finally {
        await service.stop();
      }
    },
  );

  it.each(BATCH_POINTS.map((point, at) => [point, at] as const))(
    'A24 killed at %s, where it decides together what came meanwhile, it loses and doubles no decision',
    async (point, at) => {
      const releases: string[] = [];
      for (const part of [1, 2, 3]) releases.push(await candidate(`4.${at}.${part}`));
      const doomed = await start({ node: ['--import', PRELOAD], env: { SEALANE_KILL_AT: point } });
      const asked = await Promise.allSettled(releases.map((release) => promote(doomed, release)));
      expect(asked.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
      expect(await doomed.ended).toBe('SIGKILL');
      const service = await start();
      try {
        const answers = await Promise.all(releases.map((release) => promote(service, release)));
        expect(answers.map(({ exit, json }) => [exit, json.decision])).toEqual(releases.map(() => ['0', 'passed']));
        for (const [which, release] of releases.entries()) expect(await passedDecisions(release)).toEqual([answers[which]?.json.statement]);
        const last = answers.toSorted((left, right) => Number(left.json.logIndex) - Number(right.json.logIndex)).at(-1);
        expect((await lane.sealane(['channel', 'show', 'dev'])).groups[0].release).toBe(last?.json.release);
      } finally {
        await service.stop();
      }
    },
  );

  it('A24 four callers at once, two of them on the machine itself, get one decision', async () => {
    const release = await candidate('2.0.0');
    const service = await start();
    try {
      const here = (): Promise<{ statement: string }> => lane.sealane(['promote', release, '--to', 'dev']);
      const there = async (): Promise<{ statement: string }> => (await promote(service, release)).json;
      const answers = await Promise.all([there(), here(), there(), here()]);
      expect([...new Set(answers.map(({ statement }) => statement))]).toEqual(await passedDecisions(release));
    } finally {
      await service.stop();
    }
  });

  it('A24 asked to stop, it answers what it has begun and ends with 0', async () => {
    const release = await candidate('3.0.0');
    const begun = path.join(dir, 'begun');
    const service = await start({
      node: ['--import', TOUCH],
      env: { SEALANE_TOUCH_AT: 'promote:decision-logged', SEALANE_TOUCH_FILE: begun },
    });
    const asked = promote(service, release);
    while (!existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 5));
    await service.stop();
    const { exit, json } = await asked;
    expect({ exit, decision: json.decision, ended: await service.ended }).toEqual({ exit: '0', decision: 'passed', ended: 0 });
  });
});
