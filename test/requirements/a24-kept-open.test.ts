/** A24: a service keeps its home open between calls, and what another process changed in it counts at the very next one. */
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { editPipeline } from '../support/owners.js';
import type { Server } from '../support/run.js';
import { api, type ApiAnswer, GITHUB_CLAIMS, type Issuer, serviceYaml, startIssuer, startService } from '../support/service.js';

let dir: string;
let lane: TestLane;
let github: Issuer;
let service: Server;
let token: string;
let release: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-kept-open-'));
  [lane, github] = await Promise.all([makeLane(dir), startIssuer(dir, 'github', GITHUB_CLAIMS)]);
  release = await lane.release('1.0.0');
  service = await startService(lane, serviceYaml({ github }));
  token = await github.token();
});

afterAll(async () => {
  await Promise.all([service.stop(), lane.stop(), github.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

const plan = (): Promise<ApiAnswer> => api(service, `GET /api/v1/releases/${release}/plan?to=dev`, { token });
const promote = (): Promise<ApiAnswer> => api(service, `POST /api/v1/releases/${release}/promotions`, { token, body: { to: 'dev' } });

/** The key that signed a decision. */
async function signerOf(statement: string): Promise<string> {
  const { bundle } = await lane.sealane(['log', 'prove', statement]);
  return bundle.verificationMaterial.publicKey.hint as string;
}

describe('A24 a service that keeps its home open', () => {
  it('A24 sees evidence and a hold that were added by other processes', async () => {
    expect((await plan()).json).toMatchObject({ decision: 'refused' });
    await lane.evidence(release);
    expect((await plan()).json).toMatchObject({ decision: 'passed' });
    expect((await promote()).json).toMatchObject({ decision: 'passed' });
    await lane.sealane(['channel', 'hold', 'dev', '--reason', 'wait']);
    const { json } = await api(service, 'GET /api/v1/channels/dev', { token });
    expect(json.held).toMatchObject([{ reason: 'wait' }]);
    await lane.sealane(['channel', 'unhold', 'dev']);
  });

  it('A24 signs with the key that the owners put in place of the stage’s, and under their new policy', async () => {
    const before = await signerOf((await promote()).json.statement);
    await lane.sealane(['key', 'rotate', 'dev'], 5);
    for (const owner of ['targets-1', 'targets-2'])
      await lane.sealane(['trust', 'sign', path.join(lane.home, 'proposal.json'), '--key', owner]);
    await lane.sealane(['trust', 'publish']);
    release = await lane.release('2.0.0');
    await lane.evidence(release);
    const { exit, json } = await promote();
    expect({ exit, decision: json.decision }).toEqual({ exit: '0', decision: 'passed' });
    expect(await signerOf(json.statement)).not.toBe(before);
    expect((await lane.sealane(['audit', 'verify'])).answer).toMatchObject({ ok: true });
  });

  it('A24 reads a pipeline that was changed, and says where it is wrong', async () => {
    editPipeline(lane, 'kind: Pipeline', 'kind: Pipelines');
    expect((await plan()).json).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
    editPipeline(lane, 'kind: Pipelines', 'kind: Pipeline');
    expect((await plan()).json).toMatchObject({ decision: 'passed' });
  });

  it('A24 promotes nothing that another process revoked a moment ago', async () => {
    expect((await plan()).json).toMatchObject({ decision: 'passed' });
    await lane.sealane(['revoke', release, '--reason', 'fails in the field']);
    expect((await plan()).json).toMatchObject({ decision: 'refused' });
    expect(await promote()).toMatchObject({ exit: '3', json: { decision: 'refused' } });
  });

  it('A24 signs nothing when an old copy was put in place of the ledger that it had open', async () => {
    const file = path.join(lane.home, 'ledger', 'ledger.sqlite');
    await lane.sealane(['ledger', 'fsck']);
    const old = path.join(dir, 'old.sqlite');
    // the last process that closes it leaves everything in the file
    await service.stop();
    expect(existsSync(`${file}-wal`)).toBe(false);
    copyFileSync(file, old);
    service = await startService(lane, serviceYaml({ github }));
    release = await lane.release('3.0.0');
    await lane.evidence(release);
    expect((await promote()).json).toMatchObject({ decision: 'passed' });
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
    renameSync(old, file);
    expect((await promote()).json).toMatchObject({ error: { code: expect.stringMatching(/^(LOG_RESTORED|RELEASE_UNKNOWN)$/) as string } });
    release = (await api(service, 'GET /api/v1/releases', { token })).json.releases[0].release;
    expect((await promote()).json).toMatchObject({ error: { code: 'LOG_RESTORED' } });
  });
});
