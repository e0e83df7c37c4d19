/** Question 8 of auditors: a decision made again, with what it rests on, and what is in doubt about it. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson, keyIdOf, PREDICATE, type Signed, signStatement } from '@sealane/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { logAsIs } from '../testing/forged.js';
import { makeHome, PROVENANCE, runSealane, type TestHome } from '../testing/test-home.js';

let lane: TestHome;
let release: string;
let passed: string;
/** A time before the decision, and one by which witnesses had seen nothing of it. */
let earlier: string;

beforeAll(async () => {
  lane = await makeHome();
  release = await lane.release('1.0.0');
  await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('built.json', PROVENANCE), '--key', 'builder']);
  await lane.sealane(['publish']);
  earlier = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await logAsIs(lane, await bySomebody(release));
  passed = (await lane.sealane(['promote', release, '--to', 'dev'])).statement;
});

afterAll(async () => {
  await lane.stop();
});

/** Provenance by a key that no policy names, in a log of before strangers were refused. */
async function bySomebody(about: string): Promise<Signed> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const subject = [{ digest: { sha256: about.slice('sha256:'.length) } }];
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType: PREDICATE.provenance, predicate: {} };
  const signer = {
    keyId: keyIdOf(spki),
    spki,
    sign: (data: Uint8Array) => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey))),
  };
  return await signStatement(canonicalJson(statement), signer);
}

const digests = ({ statements }: { readonly statements: readonly { readonly digest: string }[] }): readonly string[] =>
  statements.map(({ digest }) => digest);

it('comes out again under the policy of then, on what gates read, each proved; what counted for nothing is named', async () => {
  const { answer, statements, complete, checkpoint } = await lane.sealane(['audit', 'replay', passed]);
  expect({ complete, ...answer }).toMatchObject({
    complete: true,
    decision: passed,
    release,
    to: 'dev',
    recorded: 'PASSED',
    replayed: 'PASSED',
    sameVerdict: true,
    policyIs: 'published',
    doubts: [],
  });
  expect(answer.leftOut).toMatchObject([{ code: 'EVIDENCE_SIGNER', predicateType: PREDICATE.provenance }]);
  const read = answer.checks.flatMap(({ replayed }: { readonly replayed: { readonly evidence: readonly string[] } }) => replayed.evidence);
  expect(read.length).toBeGreaterThan(0);
  expect(digests({ statements })).toEqual(expect.arrayContaining([passed, ...read]));
  for (const { logIndex } of statements) expect(logIndex).toBeLessThan(Number(checkpoint.split('\n')[1]));
});

it('is the same by its log index, and from ledger and lane alone', async () => {
  const { answer } = await lane.sealane(['audit', 'replay', passed]);
  const copy = path.join(lane.dir, 'copy');
  for (const folder of ['ledger', 'lane']) cpSync(path.join(lane.home, folder), path.join(copy, folder), { recursive: true });
  const again = await runSealane(lane.dir, ['audit', 'replay', String(answer.logIndex), '--home', copy]);
  expect({ exit: again.exit, answer: again.json.answer }).toEqual({ exit: 0, answer });
});

it('is not known to a time before it was made, nor to one at which no witness had seen it', async () => {
  for (const time of ['--as-of', '--as-known']) {
    const { error } = await lane.sealane(['audit', 'replay', passed, time, earlier], 2);
    expect([time, error.code]).toEqual([time, 'STATEMENT_UNKNOWN']);
  }
  expect((await lane.sealane(['audit', 'replay', passed, '--as-of', 'noon'], 2)).error.code).toBe('USAGE');
  expect((await lane.sealane(['audit', 'replay', 'yesterday'], 2)).error.code).toBe('USAGE');
  // the release: a statement, and no decision
  expect((await lane.sealane(['audit', 'replay', '0'], 2)).error.code).toBe('STATEMENT_UNKNOWN');
});

it('cites the order that froze a stage, which no gate reads', async () => {
  await lane.sealane(['freeze', 'dev', '--reason', 'year-end']);
  const next = await lane.release('1.1.0');
  const { statement } = await lane.sealane(['promote', next, '--to', 'dev'], 3);
  const { answer, statements } = await lane.sealane(['audit', 'replay', statement]);
  const frozen = answer.checks.find(({ id }: { readonly id: string }) => id === 'frozen');
  expect(frozen.replayed.verdict).toBe('fail');
  expect(digests({ statements })).toEqual(expect.arrayContaining(frozen.replayed.evidence));
  await lane.sealane(['unfreeze', 'dev', '--reason', 'done']);
});

it('a policy that the published one accepts is said to be accepted; one that it does not is a doubt (4)', async () => {
  const pipeline = path.join(lane.home, 'pipeline.yaml');
  const publish = async (from: string, to: string, ...words: readonly string[]): Promise<void> => {
    writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace(from, to));
    await lane.sealane(['trust', 'propose', ...words], 5);
    for (const key of ['targets-1', 'targets-2'])
      await lane.sealane(['trust', 'sign', path.join(lane.home, 'proposal.json'), '--key', key]);
    await lane.sealane(['trust', 'publish']);
  };
  await publish('- name: dev\n    gates: [{ use: provenance }]', '- name: dev\n    gates: [{ use: provenance }, { use: tests }]');
  expect((await lane.sealane(['audit', 'replay', passed])).answer).toMatchObject({ policyIs: 'accepted', doubts: [] });
  await publish('{ use: tests }]', '{ use: tests, with: { minPassed: 2 } }]', '--accept', 'none');
  const { answer, complete } = await lane.sealane(['audit', 'replay', passed], 4);
  expect({ complete, ...answer }).toMatchObject({
    complete: false,
    policyIs: 'not accepted',
    replayed: 'PASSED',
    doubts: [{ statement: passed, code: 'WAYBILL_STAGE_ORDER' }],
  });
});
