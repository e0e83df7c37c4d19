/** What a change of policy does where groups of sites are decided for one after the other: each has a decision of its own. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeHome, type TestHome } from '../testing/test-home.js';

/** `dev` lets a release into its first group alone, `lab` into one group at a time. */
const RULES = {
  dev: { before: "groups == ['first']", after: 'size(groups) > 0' },
  lab: { before: 'size(groups) == 1', after: "!('first' in groups)" },
};
const stageText = (stage: keyof typeof RULES): string =>
  `  - name: ${stage}\n    gates: [{ use: cel, with: { message: which groups, expression: "${RULES[stage].before}" } }]\n`;
const GROUPS = '[{ name: first, match: { ring: first } }, { name: rest, match: {} }]';
const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
${stageText('dev')}${stageText('lab')}groups: { dev: ${GROUPS}, lab: ${GROUPS} }
signers: { release: [author] }
registrar: registrar
`;

let lane: TestHome;
let release: string;

beforeAll(async () => {
  lane = await makeHome(PIPELINE);
  release = await lane.release('1.0.0');
});

afterAll(async () => {
  await lane.stop();
});

const promote = (stage: string, group: string | undefined, exit = 0): Promise<unknown> =>
  lane.sealane(['promote', release, '--to', stage, ...(group === undefined ? [] : ['--group', group])], exit);

/** The effects of other rules, as the proposal foretells them and as an auditor reads them in the log. */
async function effects(): Promise<readonly { readonly letsIn: unknown; readonly refuses: unknown }[]> {
  const pipeline = path.join(lane.home, 'pipeline.yaml');
  const text = readFileSync(pipeline, 'utf8');
  writeFileSync(
    pipeline,
    Object.values(RULES).reduce((changed, { before, after }) => changed.replace(before, after), text),
  );
  const { effects: foretold } = await lane.sealane(['trust', 'propose'], 5);
  writeFileSync(pipeline, text);
  await lane.sealane(['publish']);
  const { answer } = await lane.sealane(['audit', 'policy', path.join(lane.home, 'proposal.json')]);
  return [foretold, { letsIn: answer.letsIn, refuses: answer.refuses }];
}

it('a refusal for one group stands after the release passed for another; what two groups run by decisions of their own is judged by each', async () => {
  await promote('dev', 'rest', 3);
  await promote('dev', 'first');
  await promote('lab', 'first');
  await promote('lab', 'rest');
  for (const said of await effects())
    expect(said).toMatchObject({
      letsIn: [{ stage: 'dev', release, groups: ['rest'], becomes: 'passed', refusedBy: [{ id: 'cel' }] }],
      refuses: [{ stage: 'lab', release, groups: ['first'], refusedBy: [{ id: 'cel' }] }],
    });
});

it('a refusal for all groups stands for those that it has not passed for since', async () => {
  await promote('dev', undefined, 3);
  for (const { letsIn } of await effects()) expect(letsIn).toMatchObject([{ groups: ['first', 'rest'] }]);
  const next = await lane.release('2.0.0');
  await lane.sealane(['promote', next, '--to', 'dev'], 3);
  await lane.sealane(['promote', next, '--to', 'dev', '--group', 'first']);
  for (const { letsIn } of await effects())
    expect(letsIn).toMatchObject([
      { release: next, groups: ['rest'] },
      { release, groups: ['first', 'rest'] },
    ]);
});
