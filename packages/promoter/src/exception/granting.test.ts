/** Who may grant an exception, and for which of a stage's gates: what gates would not count is not signed in the first place. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PREDICATE } from '@sealane/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { slowHelper } from '../testing/slow-helper.js';
import { type Answer, makeHome, type TestHome } from '../testing/test-home.js';

const RULES = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - name: dev
    gates:
      - { use: cel, with: { message: blue, expression: "release.version == '2.0.0'" } }
      - { use: cel, with: { message: green, expression: "release.name == 'web'" } }
      - { use: windows, with: { timeZone: UTC, allow: [{ start: '2020-01-01T08:00', hours: 1 }] } }
      - { use: windows, with: { timeZone: UTC, allow: [{ start: '2020-01-01T20:00', hours: 1 }] } }
people:
  - { id: alice, keys: [alice] }
  - { id: bob, keys: [bob] }
signers: { release: [author, bob], provenance: [builder], tests: [lab], hardware: [lab] }
exceptions:
  - { kind: gate, people: [alice, bob], need: 1, maxDays: 2, maxUses: 1 }
  - { kind: window, people: [alice, bob], need: 1, maxDays: 2, maxUses: 1 }
registrar: registrar
`;

let lane: TestHome;
let release: string;

beforeAll(async () => {
  lane = await makeHome(RULES);
  release = await lane.release('1.0.0');
});
afterAll(async () => {
  await lane.stop();
});

const create = (...more: readonly string[]): readonly string[] => [
  ...['exception', 'create', '--release', release, '--to', 'dev', '--reason', 'fixes an outage'],
  ...more,
];

async function verdicts(): Promise<readonly string[]> {
  const { json } = await lane.run(['plan', release, '--to', 'dev']);
  return json.checks.map(({ id, verdict }: { readonly id: string; readonly verdict: string }) => `${id} ${verdict}`);
}

const REFUSED = ['stage-order pass', 'cel fail', 'cel fail', 'windows fail', 'windows fail'];

it('of several gates of one name one is said by its place, and let through alone', async () => {
  expect(await verdicts()).toEqual(REFUSED);
  for (const gate of ['cel', 'cel:0', 'cel:3', 'cel:1:1', 'cel:', 'tests:1'])
    expect((await lane.sealane(create('--gate', gate, '--key', 'alice'), 3)).error).toMatchObject({
      code: 'EXCEPTION_DENIED',
      message: expect.stringContaining(`got ${gate}`),
    });
  expect((await lane.sealane(create('--kind', 'window', '--key', 'alice'), 3)).error.message).toContain('windows:1 or windows:2');
  expect((await lane.sealane(['exception', 'list'])).exceptions).toEqual([]);
  await lane.sealane(create('--gate', 'cel:2', '--key', 'alice'));
  expect(await verdicts()).toEqual(REFUSED.with(2, 'cel pass'));
  await lane.sealane(create('--kind', 'window', '--gate', 'windows:1', '--key', 'alice'));
  expect(await verdicts()).toEqual(REFUSED.with(2, 'cel pass').with(3, 'windows pass'));
  expect((await lane.sealane(['exception', 'list'])).exceptions).toMatchObject([
    { kind: 'gate', gate: 'cel', settings: expect.stringMatching(/^sha256:/) },
    { kind: 'window', settings: expect.stringMatching(/^sha256:/) },
  ]);
});

it('by whom the release went through no hands of: its author grants nothing, nor does he sign what another granted', async () => {
  const part = lane.file('own.yaml', 'by: bob\n');
  const words = ['release', 'create', '--name', 'own', '--version', '1.0.0', '--manifest', part, '--key', 'bob'];
  const own = (await lane.sealane(words)).release;
  const ask = (key: string): readonly string[] => create('--gate', 'cel:1', '--key', key).map((word) => (word === release ? own : word));
  expect((await lane.sealane(ask('bob'), 3)).error).toMatchObject({ code: 'EVIDENCE_SIGNER', message: expect.stringContaining('got bob') });
  const [{ digest }] = (await lane.sealane(ask('alice'))).statements;
  const also = ['exception', 'create', '--with', digest, '--key', 'bob', '--reason', 'so do I'];
  expect((await lane.sealane(also, 3)).error.code).toBe('EVIDENCE_SIGNER');
  const { exceptions } = await lane.sealane(['exception', 'list']);
  expect(exceptions.at(-1)).toMatchObject({ release: own, grantedBy: ['alice'] });
});

it('others publish while a person has still to touch the token that grants or reviews one', async () => {
  const [asked, touched] = ['asked', 'touched'].map((name) => path.join(lane.dir, name));
  const whileAsked = async (words: readonly string[], version: string): Promise<Answer> => {
    const signing = lane.run(words);
    await expect.poll(() => existsSync(asked ?? '')).toBe(true);
    await lane.release(version);
    writeFileSync(touched ?? '', '');
    const answer = await signing;
    for (const file of [asked, touched]) rmSync(file ?? '');
    return answer;
  };
  const granted = await whileAsked(create('--gate', 'cel:1', '--key', slowHelper(lane, 'alice')), '1.1.0');
  expect(granted).toMatchObject({ exit: 0, json: { statements: [{ logIndex: expect.any(Number) as number }] } });
  const review = ['exception', 'review', granted.json.statements[0].digest, '--reason', 'it was real', '--key', slowHelper(lane, 'bob')];
  expect(await whileAsked(review, '1.2.0')).toMatchObject({ exit: 0, json: { statements: [{ predicateType: PREDICATE.review }] } });
});
