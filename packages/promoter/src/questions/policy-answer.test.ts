/** Question 24 of auditors: what a policy change would have let through, of what is brought by anybody. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseDigest, PREDICATE, type SealaneError } from '@sealane/core';
import { openLedger } from '@sealane/ledger';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { homeAt } from '../home.js';
import { makeHome, PROVENANCE, type TestHome } from '../testing/test-home.js';
import { readLaneTrust } from '../trust/lane-trust.js';
import { changeEffects, MAX_JUDGED } from '../trust/policy-effects.js';

/** A proposal, as far as it is bent here. */
interface Draft {
  lane: string;
  currentFiles: Record<string, { version: number }>;
  files: Record<string, { lane: string; stage: string; version: number }>;
}

let lane: TestHome;
let one: string;
let two: string;
let unbuilt: string;
/** A change of dev that asks for tests, and one that asks for nothing but a way into the lane. */
let stricter: string;
let looser: string;

beforeAll(async () => {
  lane = await makeHome();
  const built = lane.file('built.json', PROVENANCE);
  const add = (release: string): Promise<unknown> => lane.sealane(['evidence', 'add', release, '--provenance', built, '--key', 'builder']);
  one = await lane.release('1.0.0');
  two = await lane.release('2.0.0');
  unbuilt = await lane.release('3.0.0');
  for (const release of [one, two]) {
    await add(release);
    await lane.sealane(['promote', release, '--to', 'dev']);
  }
  await lane.sealane(['promote', unbuilt, '--to', 'dev'], 3);
  stricter = await propose('stricter.json', '[{ use: provenance }, { use: tests }]');
  looser = await propose('looser.json', '[]');
});

afterAll(async () => {
  await lane.stop();
});

/** A proposal with other gates for dev, in a file of its own; the pipeline stays as it was. */
async function propose(name: string, gates: string): Promise<string> {
  const pipeline = path.join(lane.home, 'pipeline.yaml');
  const text = readFileSync(pipeline, 'utf8');
  writeFileSync(pipeline, text.replace('gates: [{ use: provenance }]', `gates: ${gates}`));
  await lane.sealane(['trust', 'propose'], 5);
  writeFileSync(pipeline, text);
  return lane.file(name, readFileSync(path.join(lane.home, 'proposal.json'), 'utf8'));
}

function bent(change: (draft: Draft) => void): string {
  const draft = JSON.parse(readFileSync(looser, 'utf8')) as Draft;
  change(draft);
  return lane.file('bent.json', JSON.stringify(draft));
}

it('says which refused release it would let in and which running one it would refuse, of every entry that witnesses saw', async () => {
  const { answer, complete, checkpoint, statements } = await lane.sealane(['audit', 'policy', looser]);
  expect({ complete, ...answer }).toMatchObject({
    complete: true,
    policies: [{ stage: 'dev', decisions: 3, refusals: 1, judged: 1 }],
    letsIn: [{ stage: 'dev', release: unbuilt, becomes: 'passed', refusedBy: [{ id: 'provenance' }] }],
    refuses: [],
  });
  expect(answer.scanned.entries).toBe(Number(checkpoint.split('\n')[1]));
  expect(statements.map(({ digest }: { readonly digest: string }) => digest)).toContain(answer.letsIn[0].decision);
  const strict = await lane.sealane(['audit', 'policy', stricter]);
  expect(strict.answer).toMatchObject({
    letsIn: [],
    refuses: [{ stage: 'dev', release: two, refusedBy: [{ id: 'tests' }] }],
  });
  // what gates read of it is proved too
  const { statements: read } = await lane.sealane(['evidence', 'list', two]);
  const built = read.find(({ predicateType }: { readonly predicateType: string }) => predicateType === PREDICATE.provenance);
  expect(strict.statements).toContainEqual(expect.objectContaining({ digest: built.digest }));
});

it('what runs is what the log was told last: an order that points back counts', async () => {
  await lane.sealane(['channel', 'set', 'dev', one, '--reason', 'two is slow']);
  expect((await lane.sealane(['audit', 'policy', stricter])).answer.refuses).toMatchObject([{ stage: 'dev', release: one }]);
});

it('of a time before all decisions nothing is let in, and nothing ran', async () => {
  const { answer } = await lane.sealane(['audit', 'policy', stricter, '--as-of', '2020-01-01T00:00:00Z']);
  expect(answer).toMatchObject({ policies: [{ decisions: 0, refusals: 0 }], letsIn: [], refuses: [] });
  expect((await lane.sealane(['audit', 'policy', stricter, '--as-known', '2020-01-01T00:00:00Z'], 4)).error.code).toBe('LOG_WITNESS');
});

it('what came later is not known to a time before it, whichever of the two times that is', async () => {
  await lane.sealane(['publish']);
  const then = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const late = await lane.release('4.0.0');
  await lane.sealane(['promote', late, '--to', 'dev'], 3);
  await lane.sealane(['evidence', 'add', unbuilt, '--provenance', path.join(lane.dir, 'built.json'), '--key', 'builder']);
  await lane.sealane(['publish']);
  const letIn = async (...times: readonly string[]): Promise<readonly string[]> =>
    (await lane.sealane(['audit', 'policy', looser, ...times])).answer.letsIn.map(({ release }: { readonly release: string }) => release);
  // the policy in force would let it in by now, so it is no change of policy that does
  expect(await letIn()).toEqual([late]);
  expect(await letIn('--as-known', then)).toEqual([unbuilt]);
  expect(await letIn('--as-of', then)).toEqual([unbuilt]);
});

it('a policy by itself is asked about as well, beside the published one', async () => {
  const { files } = JSON.parse(readFileSync(looser, 'utf8')) as Draft;
  const alone = lane.file('policy.json', JSON.stringify(files['policy/dev.json']));
  const [asked, same] = [await lane.sealane(['audit', 'policy', alone]), await lane.sealane(['audit', 'policy', looser])];
  expect(asked).toEqual(same);
  expect(asked.answer.letsIn.length).toBeGreaterThan(0);
});

it('a stage that the lane has not is said not to be seen', async () => {
  const { files } = JSON.parse(readFileSync(looser, 'utf8')) as { files: Record<string, { stage: string; chain: { stage: string }[] }> };
  const text = JSON.stringify(files['policy/dev.json']).replaceAll('"stage":"dev"', '"stage":"orbit"');
  const { answer } = await lane.sealane(['audit', 'policy', lane.file('orbit.json', text)]);
  expect(answer).toMatchObject({
    policies: [],
    notSeen: [expect.stringMatching(/^what orbit would let in/), expect.anything(), expect.anything()],
  });
});

it.each<readonly [string, string, () => string]>([
  ['no JSON', 'CONFIG_INVALID', () => lane.file('bent.json', 'proposal')],
  ['another kind of document', 'CONFIG_INVALID', () => lane.file('bent.json', '{"kind":"Pipeline"}')],
  ['a policy that is none', 'CONFIG_INVALID', () => lane.file('bent.json', '{"kind":"Policy"}')],
  [
    'a policy of another lane',
    'CONFIG_INVALID',
    () => bent(({ files }) => Object.values(files).forEach((policy) => (policy.lane = 'other.example'))),
  ],
  [
    'one that would replace what owners never published',
    'TRUST_MISMATCH',
    () => bent(({ currentFiles }) => Object.values(currentFiles).forEach((policy) => (policy.version += 7))),
  ],
  ['no file', 'CONFIG_INVALID', () => path.join(lane.dir, 'nothing.json')],
])('refuses %s (%s)', async (_, code, file) => {
  const { json } = await lane.run(['audit', 'policy', file()]);
  expect(json.error.code).toBe(code);
});

it('what witnesses have not seen yet is in doubt (4), and is not judged', async () => {
  const next = await lane.release('5.0.0');
  await lane.stopWitness();
  await lane.run(['promote', next, '--to', 'dev']);
  const { answer, complete } = await lane.sealane(['audit', 'policy', looser], 4);
  expect({ complete, doubts: answer.doubts }).toMatchObject({ complete: false, doubts: [{ code: 'LOG_WITNESS' }] });
  expect(answer.letsIn.map(({ release }: { readonly release: string }) => release)).not.toContain(next);
});

it('judges the latest refusals only, and takes note of those that it cannot', async () => {
  const home = homeAt(lane.home);
  const trust = readLaneTrust(home);
  const dev = trust.stages.get('dev');
  if (dev === undefined) throw new Error('expected stage dev');
  const noClock = (): string => '2026-01-01T00:00:00Z';
  const ledger = await openLedger({ file: home.ledger, origin: trust.origin, readOnly: true, now: noClock });
  const failed: [number, SealaneError][] = [];
  const digest = (index: number): ReturnType<typeof parseDigest> => parseDigest(`sha256:${String(index).padStart(64, '0')}`);
  try {
    const effects = await changeEffects(
      {
        home,
        ledger,
        lane: trust,
        now: noClock,
        at: 'witnessed',
        // releases of which the ledger has heard nothing
        decided: () =>
          Promise.resolve(
            Array.from({ length: MAX_JUDGED + 3 }, (__, index) => {
              return { release: digest(index), statementDigest: digest(index), result: 'FAILED', policy: dev.digest, index, rollout: [] };
            }),
          ),
        live: () => Promise.resolve([]),
        before: () => ledger,
        witnessed: ledger,
        notJudged: ({ index }, error) => void failed.push([index, error]),
      },
      { before: dev, after: dev },
    );
    expect(effects).toMatchObject({ letsIn: [], refuses: [], refusals: MAX_JUDGED + 3, judged: MAX_JUDGED });
  } finally {
    await ledger.close();
  }
  expect(failed.map(([index]) => index)).toEqual(Array.from({ length: MAX_JUDGED }, (__, at) => MAX_JUDGED + 2 - at));
  expect(new Set(failed.map(([, { code }]) => code))).toEqual(new Set(['RELEASE_UNKNOWN']));
});
