/** T8: log and sole witness show one history to some and another to others. What an approver and a site signed of what they saw proves it to whoever has both. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, expectJson, runJson, type Server, startServer } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let release: string;
let site: TestSite;
/** The other history: the same home up to a point, its own witness state, other statements since. */
let other: string;
let accomplice: Server;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-t8-'));
  lane = await makeLane(dir);
  release = await lane.release('1.0.0');
  await lane.promote(release);
  site = await enrolSite(lane, path.join(dir, 'site'));
  other = path.join(dir, 'other', 'home');
  cpSync(lane.home, other, { recursive: true, verbatimSymlinks: true });
  const state = path.join(dir, 'other', 'witness');
  cpSync(path.join(dir, 'witness'), state, { recursive: true, filter: (file) => path.basename(file) !== 'lock' });
  const words = ['--state', state, '--log', path.join(other, 'log.vkey'), '--listen', '127.0.0.1:0'];
  accomplice = await startServer('sealane', ['witness', 'serve', ...words]);
  const pipeline = path.join(other, 'pipeline.yaml');
  writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace(lane.witness.url, accomplice.url));
  // one statement here, another there: logs of one size, each cosigned by the witness's key
  await lane.sealane(['reject', release, '--to', 'prod', '--key', 'bob', '--reason', 'a leak']);
  await there(['reject', release, '--to', 'prod', '--key', 'alice', '--reason', 'no leak']);
  for (const publish of [lane.sealane, there]) await publish(['publish', '--refresh']);
});

afterAll(async () => {
  await site.stop();
  await accomplice.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const there = (words: readonly string[]): Promise<Answer['json']> => expectJson('sealane', [...words, '--home', other]);
const audit = (seen: string): Promise<Answer> => runJson('sealane', ['audit', 'verify', '--seen', seen, '--home', lane.home]);
const file = (name: string): string => path.join(dir, name);
const approveInto = (name: string): readonly string[] => ['approve', release, '--to', 'prod', '--key', 'alice', '--out', file(name)];

describe('T8 two histories', () => {
  it('neither shows anything by itself', async () => {
    expect((await lane.sealane(['audit', 'verify'])).answer.ok).toBe(true);
    expect((await there(['audit', 'verify'])).answer.ok).toBe(true);
  });

  it('an approval that was made over the other history proves it, and one over this history does not', async () => {
    await there(approveInto('there.json'));
    await lane.sealane(approveInto('here.json'));
    expect(await audit(file('here.json'))).toMatchObject({ exit: 0, json: { answer: { ok: true } } });
    const { exit, json } = await audit(file('there.json'));
    expect(exit).toBe(4);
    expect(json.answer.problems).toMatchObject([
      { where: 'seen', expected: expect.stringMatching(/^root [0-9a-f]{64} at size \d+ of lane\.example/) as string },
    ]);
    expect(json.answer.problems[0].actual).toMatch(/^root [0-9a-f]{64}$/);
  });

  it('a file that is not there is named as what it is, with what to do about it', async () => {
    const { exit, json } = await audit(file('none.json'));
    expect({ exit, error: json.error }).toMatchObject({
      exit: 2,
      error: { code: 'CONFIG_INVALID', hint: 'check the path: nothing is there' },
    });
    expect(json.error.message).toContain('none.json: expected a file, got nothing');
  });

  it('a receipt of a site that was shown the other history proves it', async () => {
    const lanes = path.join(dir, 'shown');
    cpSync(path.join(other, 'lane'), lanes, { recursive: true, verbatimSymlinks: true });
    const config = path.join(site.dir, 'site.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace(/^upstreams: .*$/m, `upstreams: ${JSON.stringify([lanes])}`));
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    const receipts = path.join(dir, 'receipts');
    await site.must(['receipt', 'export', receipts]);
    const { exit, json } = await audit(path.join(receipts, readdirSync(receipts)[0] ?? ''));
    expect({ exit, where: json.answer.problems[0]?.where }).toEqual({ exit: 4, where: 'seen' });
  });

  it('what nobody of this lane signed proves nothing', async () => {
    const bundle = JSON.parse(readFileSync(file('there.json'), 'utf8')) as { dsseEnvelope: { signatures: { sig: string }[] } };
    const [signature] = bundle.dsseEnvelope.signatures;
    const bytes = Buffer.from(signature!.sig, 'base64');
    bytes[20]! ^= 1;
    signature!.sig = bytes.toString('base64');
    writeFileSync(file('bent.json'), JSON.stringify(bundle));
    const { json } = await audit(file('bent.json'));
    expect(json.error.code).toBe('STATEMENT_SIGNATURE');
  });

  it('a receipt of the other history proves it by itself once it is logged here', async () => {
    const [receipt = ''] = readdirSync(file('receipts'));
    expect((await lane.sealane(['audit', 'verify'])).answer.ok).toBe(true);
    await lane.sealane(['statement', 'add', path.join(file('receipts'), receipt)]);
    const { exit, json } = await runJson('sealane', ['audit', 'verify', '--home', lane.home]);
    expect({ exit, problems: json.answer.problems }).toMatchObject({
      exit: 4,
      problems: [{ where: 'quoted', expected: expect.stringMatching(/^root .* at size \d+, as its signer saw it$/) as string }],
    });
  });
});
