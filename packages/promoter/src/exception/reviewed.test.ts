/** The use of an exception is open until it was looked at after it was logged: a review of before has seen nothing of it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeHome, type TestHome } from '../testing/test-home.js';

const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - name: dev
    gates: [{ use: cel, with: { message: blue, expression: "release.version == '2.0.0'" } }]
people:
  - { id: alice, keys: [alice] }
  - { id: bob, keys: [bob] }
signers: { release: [author] }
exceptions:
  - { kind: gate, people: [alice, bob], need: 1, maxDays: 2, maxUses: 1 }
registrar: registrar
`;

let lane: TestHome;
let granted: string;

beforeAll(async () => {
  lane = await makeHome(PIPELINE);
  const release = await lane.release('1.0.0');
  const words = [
    'exception',
    'create',
    '--release',
    release,
    '--to',
    'dev',
    '--gate',
    'cel',
    '--reason',
    'fixes an outage',
    '--key',
    'alice',
  ];
  granted = (await lane.sealane(words)).statements[0].digest;
  await review();
  await lane.sealane(['promote', release, '--to', 'dev']);
});
afterAll(() => lane.stop());

const review = (): Promise<unknown> => lane.sealane(['exception', 'review', granted, '--key', 'bob', '--reason', 'seen']);

/** As the lane's own list says it, and as an auditor reads it. */
async function open(): Promise<readonly unknown[]> {
  await lane.sealane(['publish']);
  const [{ state }] = (await lane.sealane(['exception', 'list'])).exceptions;
  const { waivers } = (await lane.sealane(['audit', 'waivers'])).answer;
  return [state, waivers[0].open];
}

it('by the list of the lane and by the auditor', async () => {
  expect(await open()).toEqual(['open', true]);
  await review();
  expect(await open()).toEqual(['reviewed', false]);
});
