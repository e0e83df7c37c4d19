/**
 * Row A9: m of n people, each with a signature of his own over exactly what he saw. Approvers work on machines of their own: a copy of ledger
 * and lane without any key of the promoter's, and a key that the promoter never sees. Files go back by hand.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, makeHome, PROVENANCE, runSealane, type TestHome } from '../../packages/promoter/src/testing/test-home.js';

const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - name: dev
    gates: [{ use: provenance }, { use: tests }, { use: approvals, with: { count: 2 } }]
people:
  - { id: alice, keys: [alice, alice-token] }
  - { id: bob, keys: [bob] }
  - { id: carol, keys: [author] }
  - { id: dave, keys: [lab] }
signers: { release: [author], provenance: [builder], tests: [lab] }
registrar: registrar
`;
const JUNIT = '<testsuite name="s"><testcase name="a"/></testsuite>';

let lane: TestHome;
let release: string;

beforeEach(async () => {
  lane = await makeHome(PIPELINE);
  release = await lane.release('1.0.0');
  await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('p.json', PROVENANCE), '--key', 'builder']);
  await lane.sealane(['evidence', 'add', release, '--tests', lane.file('junit.xml', JUNIT), '--key', 'lab']);
});

afterEach(async () => {
  await lane.stop();
});

const approve = (person: string, ...more: readonly string[]): Promise<Answer> =>
  lane.run(['approve', release, '--to', 'dev', '--key', person, ...more]);

async function approvals(exit: number): Promise<{ verdict: string; code?: string; actual: string; remedy: string }> {
  const { checks } = await lane.sealane(['promote', release, '--to', 'dev'], exit);
  return checks.find(({ id }: { id: string }) => id === 'approvals');
}

/** An approver's machine: what the promoter publishes and logs, none of its keys; the person's key is moved there for good. */
interface Machine {
  readonly file: (name: string) => string;
  run(words: readonly string[]): Promise<Answer>;
}

function machineOf(person: string): Machine {
  const dir = path.join(lane.dir, `machine-${person}`);
  mkdirSync(path.join(dir, 'home'), { recursive: true });
  for (const part of ['pipeline.yaml', 'log.vkey', 'ledger', 'lane'])
    cpSync(path.join(lane.home, part), path.join(dir, 'home', part), { recursive: true });
  renameSync(path.join(lane.home, 'keys', `${person}.pem`), path.join(dir, `${person}.pem`));
  expect(existsSync(path.join(dir, 'home', 'keys'))).toBe(false);
  return { file: (name) => path.join(dir, name), run: (words) => runSealane(dir, [...words, '--home', path.join(dir, 'home')]) };
}

describe('on machines of their own', () => {
  test('A9 two people recompute every gate, sign there and send a file each: the promoter logs both and promotes', async () => {
    for (const person of ['alice', 'bob']) {
      const machine = machineOf(person);
      const told = await machine.run(['explain', release, '--to', 'dev', '--person', person]);
      expect(told.exit, told.talk).toBe(0);
      expect(told.json).toMatchObject({ decision: 'pending', since: null });
      expect(told.json.checks.map(({ id, verdict }: { id: string; verdict: string }) => `${id} ${verdict}`)).toEqual(
        expect.arrayContaining(['provenance pass', 'tests pass', 'approvals pending']),
      );
      const out = machine.file('approval.json');
      const signed = await machine.run(['approve', release, '--to', 'dev', '--key', `file:${person}.pem`, '--out', out]);
      expect(signed.exit, signed.talk).toBe(0);
      expect(signed.json.statements).toMatchObject([{ logIndex: null }]);
      const payload = JSON.parse(Buffer.from(JSON.parse(readFileSync(out, 'utf8')).dsseEnvelope.payload as string, 'base64').toString());
      expect(payload.predicate).toMatchObject({
        release,
        stage: 'dev',
        policy: told.json.policy,
        seen: told.json.seen,
        verdict: 'approve',
      });
      expect(await approvals(5)).toMatchObject({ verdict: 'pending' });
      await lane.sealane(['statement', 'add', out]);
    }
    expect(await approvals(0)).toMatchObject({ verdict: 'pass', actual: 'approved by alice, bob' });
  });

  test('A9 explain shows what is new since the last approval, which no longer counts', async () => {
    expect((await approve('alice')).exit).toBe(0);
    expect((await approve('bob')).exit).toBe(0);
    const [{ digest }] = (
      await lane.sealane(['evidence', 'add', release, '--tests', lane.file('more.xml', JUNIT.replace('"s"', '"soak"')), '--key', 'lab'])
    ).statements;
    expect(await approvals(5)).toMatchObject({ verdict: 'pending', actual: expect.stringContaining('has not seen 1 statement ') });
    const { json } = await machineOf('alice').run(['explain', release, '--to', 'dev', '--person', 'alice']);
    expect(json.since).toMatchObject({
      person: 'alice',
      verdict: 'approve',
      isPolicyChanged: false,
      isRolloutChanged: false,
      added: [{ digest }],
      dropped: [],
    });
    expect((await lane.run(['explain', release, '--to', 'dev', '--person', 'nobody'])).json.error.code).toBe('USAGE');
  });

  test('A9 a file that was changed on the way, or that no key of policy signed, is not taken', async () => {
    const machine = machineOf('alice');
    const out = machine.file('approval.json');
    await machine.run(['approve', release, '--to', 'dev', '--key', 'file:alice.pem', '--out', out]);
    const bundle = JSON.parse(readFileSync(out, 'utf8')) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString().replace('"approve"', '"reject"');
    bundle.dsseEnvelope.payload = Buffer.from(payload.replace('"verdict":"reject"', '"reason":"x","verdict":"reject"')).toString('base64');
    writeFileSync(machine.file('changed.json'), JSON.stringify(bundle));
    const { exit, json } = await lane.run(['statement', 'add', machine.file('changed.json')]);
    expect([exit, json.error.code]).toEqual([4, 'WAYBILL_SIGNATURE']);
    await machine.run(['key', 'create', machine.file('stranger.pem')]);
    expect((await machine.run(['approve', release, '--to', 'dev', '--key', 'file:stranger.pem'])).json.error.code).toBe('EVIDENCE_SIGNER');
  });
});

describe('who and what counts', () => {
  test('A9 one person with two keys, or twice, is one person', async () => {
    for (const key of ['alice', 'alice-token', 'alice']) expect((await approve(key)).exit).toBe(0);
    expect(await approvals(5)).toMatchObject({
      verdict: 'pending',
      actual: '1 of 2, by alice',
      remedy: expect.stringContaining('--key bob'),
    });
  });

  test('A9 author and tester are not approvers, though policy names them as people', async () => {
    for (const key of ['alice', 'author', 'lab']) expect((await approve(key)).exit, key).toBe(0);
    const { verdict, actual } = await approvals(5);
    expect({ verdict, actual }).toEqual({
      verdict: 'pending',
      actual: '1 of 2, by alice; carol: is author, and may not approve; dave: is tester, and may not approve',
    });
  });

  test('A9 the promoter is no approver: no policy names the key of a stage as a person’s', async () => {
    const pipeline = lane.file('other.yaml', PIPELINE.replace('keys: [bob]', 'keys: [dev]'));
    const { exit, json } = await runSealane(lane.dir, ['init', 'other', '--pipeline', pipeline]);
    expect([exit, json.error.code]).toEqual([2, 'KEY_ROLES_SHARED']);
    expect(json.error.message).toContain('expected another key as stage dev than as person bob');
    expect(existsSync(path.join(lane.dir, 'other', 'lane', 'trust', 'metadata', 'timestamp.json'))).toBe(false);
    // with another pipeline the same home is a lane
    const again = await runSealane(lane.dir, ['init', 'other', '--pipeline', lane.file('good.yaml', PIPELINE)]);
    expect(again.exit, again.talk).toBe(0);
  });

  test('A9 a rejection is a veto, until the same person approves', async () => {
    await approve('alice');
    await lane.sealane(['reject', release, '--to', 'dev', '--key', 'bob', '--reason', 'not on a Friday']);
    expect(await approvals(3)).toMatchObject({ verdict: 'fail', code: 'WAYBILL_APPROVALS', actual: 'bob rejected it: not on a Friday' });
    await lane.sealane(['approve', release, '--to', 'dev', '--key', 'alice-token']);
    expect(await approvals(3)).toMatchObject({ verdict: 'fail' });
    await approve('bob');
    expect(await approvals(0)).toMatchObject({ verdict: 'pass' });
  });

  test('A9 an approval of another release counts for nothing here', async () => {
    const other = await lane.release('2.0.0');
    for (const person of ['alice', 'bob']) await lane.sealane(['approve', other, '--to', 'dev', '--key', person]);
    expect(await approvals(5)).toMatchObject({ actual: '0 of 2, by nobody' });
  });
});
