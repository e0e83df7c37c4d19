/** Promotion: one decision for one question however often it is asked, refusals logged once for one reason, waiting never logged. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, makeHome, PIPELINE, PROVENANCE, type TestHome } from '../testing/test-home.js';

let lane: TestHome;
let release: string;
let provenance: string;

beforeEach(async () => {
  lane = await makeHome();
  release = await lane.release('1.0.0');
  provenance = lane.file('provenance.json', PROVENANCE);
});

afterEach(async () => {
  await lane.stop();
});

const addProvenance = (to = release): Promise<unknown> =>
  lane.sealane(['evidence', 'add', to, '--provenance', provenance, '--key', 'builder']);
const promote = (stage: string, exit = 0, what = release): Promise<Answer['json']> => lane.sealane(['promote', what, '--to', stage], exit);
const channel = (stage: string): Promise<Answer['json']> => lane.sealane(['channel', 'show', stage]);

/** The decisions about a release that the log can prove. */
async function decisions(what = release): Promise<{ stage: string; result: string; logIndex?: number }[]> {
  return (await lane.sealane(['audit', 'trace', what])).answer.decisions;
}

describe('promote', () => {
  it('answers in the contract’s shape, and the same again: one decision', async () => {
    await addProvenance();
    const first = await promote('dev');
    expect(first).toMatchObject({
      release,
      to: 'dev',
      decision: 'passed',
      earliest: null,
      statement: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      logIndex: expect.any(Number),
    });
    for (const check of first.checks)
      expect(check).toMatchObject({
        id: expect.any(String),
        verdict: 'pass',
        expected: expect.any(String),
        actual: expect.any(String),
        remedy: expect.any(String),
        evidence: expect.any(Array),
      });
    const published = await channel('dev');
    expect(published.groups).toMatchObject([
      { match: {}, release, waybill: expect.stringMatching(/^sha256:/), length: expect.any(Number) },
    ]);
    const again = await promote('dev');
    expect({ statement: again.statement, logIndex: again.logIndex }).toEqual({ statement: first.statement, logIndex: first.logIndex });
    expect((await channel('dev')).groups).toEqual(published.groups);
    expect(await decisions()).toHaveLength(1);
  });

  it('uses no version of metadata that lies there already, also what came since this process last published', async () => {
    await addProvenance();
    await promote('dev');
    const metadata = path.join(lane.home, 'lane', 'trust', 'metadata');
    const files = (): readonly string[] => readdirSync(metadata).filter((name) => name !== 'timestamp.json');
    for (const role of ['snapshot', 'dev']) {
      const versions = files().flatMap((name) => (name.endsWith(`.${role}.json`) ? [Number.parseInt(name, 10)] : []));
      writeFileSync(path.join(metadata, `${Math.max(...versions) + 1}.${role}.json`), 'left by a crash');
    }
    const before = files().map((name) => [name, readFileSync(path.join(metadata, name), 'utf8')]);
    const next = await lane.release('1.1.0');
    await addProvenance(next);
    expect(await promote('dev', 0, next)).toMatchObject({ decision: 'passed' });
    expect((await channel('dev')).groups).toMatchObject([{ release: next }]);
    expect(before.map(([name = '']) => [name, readFileSync(path.join(metadata, name), 'utf8')])).toEqual(before);
  });

  it('waits for people alone once the soak is over, and names no time that has passed', async () => {
    await lane.stop();
    const gates = 'gates: [{ use: provenance }, { use: approvals, with: { count: 1 } }]';
    lane = await makeHome(PIPELINE.replace(gates, 'gates: [{ use: soak, with: { seconds: 2 } }, { use: approvals, with: { count: 1 } }]'));
    release = await lane.release('1.0.0');
    provenance = lane.file('provenance.json', PROVENANCE);
    await addProvenance();
    await promote('dev');
    await promote('prod', 5);
    await sleep(3000);
    const json = await promote('prod', 5);
    const verdicts = json.checks.map(({ id, verdict }: Record<string, string>) => `${id} ${verdict}`);
    expect({ verdicts, earliest: json.earliest }).toEqual({
      verdicts: ['stage-order pass', 'soak pass', 'approvals pending'],
      earliest: null,
    });
    expect(await lane.talkOf(['promote', release, '--to', 'prod'])).toContain('sealane approve');
  });

  it('names what ends a freeze before what is only waited for', async () => {
    await addProvenance();
    await promote('dev');
    await lane.sealane(['freeze', 'prod', '--reason', 'an audit']);
    expect(await lane.talkOf(['promote', release, '--to', 'prod'])).toContain('sealane unfreeze prod');
  });

  it('refuses without evidence (3), logs that once, and points the stage at nothing', async () => {
    const first = await promote('dev', 3);
    expect(first).toMatchObject({ decision: 'refused', statement: expect.stringMatching(/^sha256:/) });
    expect(first.checks.some(({ verdict, remedy }: { verdict: string; remedy: string }) => verdict === 'fail' && remedy !== '')).toBe(true);
    const again = await promote('dev', 3);
    expect(again.logIndex).toBe(first.logIndex);
    expect(await decisions()).toMatchObject([{ stage: 'dev', result: 'FAILED' }]);
    expect((await channel('dev')).groups).toEqual([]);
  });

  it('refuses a stage whose predecessor was not passed, with all else in order', async () => {
    await addProvenance();
    await lane.sealane(['approve', release, '--to', 'prod', '--key', 'alice']);
    const refused = await promote('prod', 3);
    expect(refused.decision).toBe('refused');
    expect((await channel('prod')).groups).toEqual([]);
  });

  it('waits for an approval (5) and logs nothing of that', async () => {
    await addProvenance();
    await promote('dev');
    const before = await decisions();
    const waiting = await promote('prod', 5);
    expect(waiting).toMatchObject({ decision: 'pending', statement: null, logIndex: null });
    expect(waiting.checks.find(({ verdict }: { verdict: string }) => verdict === 'pending').remedy).toMatch(/sealane approve/);
    expect(await decisions()).toEqual(before);
    await lane.sealane(['approve', release, '--to', 'prod', '--key', 'alice']);
    await promote('prod');
    expect((await channel('prod')).groups).toMatchObject([{ release }]);
  });

  it('is refused by a veto (3), though another person approves', async () => {
    await addProvenance();
    await promote('dev');
    await lane.sealane(['reject', release, '--to', 'prod', '--key', 'bob', '--reason', 'not on a Friday']);
    await lane.sealane(['approve', release, '--to', 'prod', '--key', 'alice']);
    expect((await promote('prod', 3)).decision).toBe('refused');
    expect((await channel('prod')).groups).toEqual([]);
  });

  it('of an older release that is asked again does not take the stage back', async () => {
    await addProvenance();
    await promote('dev');
    const newer = await lane.release('1.1.0');
    await addProvenance(newer);
    await promote('dev', 0, newer);
    await promote('dev');
    expect((await channel('dev')).groups).toMatchObject([{ release: newer }]);
  });

  it('is logged and not published while no witness answers (5)', async () => {
    await addProvenance();
    await promote('dev');
    const newer = await lane.release('1.1.0');
    await addProvenance(newer);
    const before = await channel('dev');
    await lane.stopWitness();
    const waiting = await promote('dev', 5, newer);
    // its evidence was never witnessed, so nothing can be decided about it
    expect(waiting.decision).not.toBe('refused');
    expect((await channel('dev')).groups).toEqual(before.groups);
    expect((await channel('dev')).version).toBe(before.version);
  });

  it('of a revoked release is refused', async () => {
    await addProvenance();
    await promote('dev');
    await lane.sealane(['revoke', release, '--reason', 'CVE in the base image']);
    const refused = await promote('dev', 3);
    expect(refused.checks.filter(({ verdict }: { verdict: string }) => verdict === 'fail')).toMatchObject([{ id: 'revoked' }]);
    const set = await lane.run(['channel', 'set', 'dev', release]);
    expect({ exit: set.exit, code: set.json.error?.code }).toEqual({ exit: 3, code: 'RELEASE_REVOKED' });
    expect((await channel('dev')).revoked).toMatchObject([{ release }]);
  });
});

describe('plan', () => {
  it('exits as promote would and writes nothing', async () => {
    const refused = await lane.sealane(['plan', release, '--to', 'dev'], 3);
    expect(refused).toMatchObject({ decision: 'refused', statement: null, logIndex: null });
    await addProvenance();
    const planned = await lane.sealane(['plan', release, '--to', 'dev']);
    expect(planned).toMatchObject({ decision: 'passed', statement: null, logIndex: null });
    expect((await channel('dev')).groups).toEqual([]);
    // the release, its provenance, and nothing else: the first decision takes the next place
    expect((await promote('dev')).logIndex).toBe(2);
    expect(await decisions()).toHaveLength(1);
    await lane.sealane(['plan', release, '--to', 'prod'], 5);
  });
});
