/**
 * Row A9 with nothing of the promoter's but what it publishes: static files, in a folder or at an address, and the root that the approver was handed. The
 * gates come out as they do at the promoter, and what is missing or changed on the way is signed by nobody.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, makeHome, PROVENANCE, runSealane, type TestHome } from '../../packages/promoter/src/testing/test-home.js';
import { startServer } from '../support/run.js';

const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - name: dev
    gates: [{ use: provenance }, { use: tests }, { use: approvals, with: { count: 2 } }]
people:
  - { id: alice, keys: [alice] }
  - { id: bob, keys: [bob] }
signers: { release: [author], provenance: [builder], tests: [lab] }
registrar: registrar
`;
const JUNIT = '<testsuite name="s"><testcase name="a"/></testsuite>';

let lane: TestHome;
let release: string;
/** The root as it was handed over. */
let root: string;

beforeEach(async () => {
  lane = await makeHome(PIPELINE);
  release = await lane.release('1.0.0');
  await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('p.json', PROVENANCE), '--key', 'builder']);
  await lane.sealane(['evidence', 'add', release, '--tests', lane.file('junit.xml', JUNIT), '--key', 'lab']);
  await lane.sealane(['publish', '--refresh']);
  root = path.join(lane.dir, 'handed-over.json');
  cpSync(path.join(lane.home, 'lane', 'trust', 'metadata', '1.root.json'), root);
});

afterEach(async () => {
  await lane.stop();
});

/** A person's machine: the key, and a place where the published lane can be read. */
function machineOf(person: string, address: string): { readonly out: string; run(words: readonly string[]): Promise<Answer> } {
  const dir = path.join(lane.dir, `machine-${person}`);
  mkdirSync(dir);
  renameSync(path.join(lane.home, 'keys', `${person}.pem`), path.join(dir, `${person}.pem`));
  return {
    out: path.join(dir, 'approval.json'),
    run: (words) => runSealane(dir, [...words, '--lane', address, '--root', root]),
  };
}

/** A copy of the published lane and of nothing else. */
function copyOfLane(): string {
  const copy = path.join(mkdtempSync(path.join(lane.dir, 'carried-')), 'lane');
  cpSync(path.join(lane.home, 'lane'), copy, { recursive: true });
  return copy;
}

const sign = (person: string, out: string): readonly string[] => [
  ...['approve', release, '--to', 'dev', '--key', `file:${person}.pem`, '--out', out],
];

test('A9 approvers with the published lane alone recompute every gate as the promoter does, and sign what they saw', async () => {
  const server = await startServer('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', lane.home]);
  try {
    const here = await lane.sealane(['explain', release, '--to', 'dev']);
    for (const [person, address] of [
      ['alice', copyOfLane()],
      ['bob', server.url],
    ] as const) {
      const machine = machineOf(person, address);
      const told = await machine.run(['explain', 'api@1.0.0', '--to', 'dev', '--person', person]);
      expect(told.exit, told.talk).toBe(0);
      expect(told.json).toMatchObject({ release, policy: here.policy, seen: here.seen, decision: 'pending', since: null });
      expect(told.json.checks).toEqual(here.checks);
      const signed = await machine.run(sign(person, machine.out));
      expect(signed.exit, signed.talk).toBe(0);
      await lane.sealane(['statement', 'add', machine.out]);
    }
    expect(await lane.sealane(['promote', release, '--to', 'dev'])).toMatchObject({ decision: 'passed' });
  } finally {
    await server.stop();
  }
});

test('A9 what is logged and not published yet is not there; when it is, an approval of before has not seen it', async () => {
  const before = copyOfLane();
  const more = ['--tests', lane.file('more.xml', JUNIT.replace('"s"', '"soak"')), '--key', 'lab'];
  const [{ digest }] = (await lane.sealane(['evidence', 'add', release, ...more])).statements;
  const machine = machineOf('alice', before);
  expect((await machine.run(['explain', release, '--to', 'dev'])).json.seen).not.toContain(digest);
  await lane.sealane(['publish', '--refresh']);
  const now = await runSealane(lane.dir, ['explain', release, '--to', 'dev', '--lane', copyOfLane(), '--root', root]);
  expect(now.json.seen).toContain(digest);
});

test('A9 a lane of other owners, or one in which something was changed or left out, is not approved', async () => {
  const stranger = await makeHome(PIPELINE.replace('lane.example', 'other.example'));
  try {
    const machine = machineOf('alice', copyOfLane());
    const refused = async (copy: string, code: string | RegExp): Promise<void> => {
      const answer = await runSealane(path.dirname(machine.out), [...sign('alice', machine.out), '--lane', copy, '--root', root]);
      expect(answer.json.error.code, answer.talk).toMatch(code);
      expect(existsSync(machine.out)).toBe(false);
    };
    await refused(path.join(stranger.home, 'lane'), /^TRUST_/);
    const [cut, bent, behind] = [copyOfLane(), copyOfLane(), copyOfLane()];
    const statement = statementBlob(cut);
    rmSync(path.join(cut, statement));
    await refused(cut, 'CONTENT_MISSING');
    const bytes = readFileSync(path.join(bent, statement), 'utf8');
    writeFileSync(path.join(bent, statement), bytes.replace(/"(result)":"PASSED"/, '"$1":"FAILED"').replace('builder', 'bu1lder'));
    await refused(bent, 'CONTENT_MISSING');
    const checkpoint = path.join(behind, 'log', 'checkpoint');
    writeFileSync(checkpoint, readFileSync(checkpoint, 'utf8').replace(/\n— witness\.example .*\n/, '\n'));
    await refused(behind, /^LOG_WITNESS$/);
  } finally {
    await stranger.stop();
  }
});

/** The path of the blob of a statement by the builder, below the lane. */
function statementBlob(copy: string): string {
  const folder = path.join('content', 'blobs', 'sha256');
  const found = readdirSync(path.join(copy, folder)).find((name) => {
    const text = readFileSync(path.join(copy, folder, name), 'latin1');
    return text.startsWith('DSSEv1 ') && text.includes('ci.example/builder');
  });
  if (found === undefined) throw new Error('look for a statement in the lane: found none');
  return path.join(folder, found);
}
