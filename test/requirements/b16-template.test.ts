/** B16: sites are made from one template with variables: each gets its own site.yaml, enrols, and installs by it; what does not fit writes nothing. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson } from '../support/run.js';
import { siteAt, siteYaml, type TestSite, versionOnDisk } from '../support/site.js';

let dir: string;
let lane: TestLane;
let template: string;
const sites: TestSite[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b16-template-'));
  lane = await makeLane(dir);
  template = path.join(dir, 'town.yaml');
  const site = siteYaml(lane, { name: '${SITE}', yaml: 'keep: ${KEEP}', driver: { env: { TOWN: 'the town of ${TOWN}' } } });
  const declared = [
    'kind: SiteTemplate',
    'variables:',
    '  - { name: SITE, type: text, maxLength: 63 }',
    '  - { name: TOWN, type: choice, choices: [dover, harwich] }',
    '  - { name: KEEP, type: integer, min: 2, max: 4, default: 2 }',
    'site:',
  ];
  writeFileSync(template, [...declared, ...site.split('\n').map((line) => `  ${line}`), ''].join('\n'));
  await lane.promote(await lane.release('1.0.0'));
});

afterAll(async () => {
  for (const site of sites) await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function render(town: string, set: readonly string[], exit = 0): ReturnType<typeof expectJson> {
  mkdirSync(path.join(dir, town), { recursive: true });
  const words = set.flatMap((pair) => ['--set', pair]);
  return await expectJson('sealane-site', ['render', template, ...words, '--out', path.join(dir, town, 'site.yaml')], exit);
}

test('B16 two sites out of one template enrol and install, each under its own name and values', async () => {
  for (const town of ['dover', 'harwich']) {
    expect(await render(town, [`SITE=${town}-1`, `TOWN=${town}`, 'KEEP=3'])).toMatchObject({
      name: `${town}-1`,
      stage: 'prod',
      variables: { SITE: `${town}-1`, TOWN: town, KEEP: 3 },
    });
    const site = siteAt(path.join(dir, town), `${town}-1`);
    sites.push(site);
    const [request, record] = [path.join(site.dir, 'request.json'), path.join(site.dir, 'record.json')];
    await site.must(['enroll', '--name', site.name, '--out', request]);
    await lane.sealane(['site', 'add', request, '--stage', 'prod', '--label', `town=${town}`, '--key', 'registrar', '--out', record]);
    await site.must(['enroll', '--record', record, '--root', path.join(lane.lane, 'trust', 'metadata', '1.root.json')]);
    expect(await site.must(['update'])).toMatchObject({ site: `${town}-1`, outcome: 'installed' });
    expect(versionOnDisk(site.state)).toBe('1.0.0');
    expect(readFileSync(site.config, 'utf8')).toContain(`the town of ${town}`);
  }
});

test('B16 a value out of range, one that is missing, one that nobody declared, or two of a name: refused, and nothing is written', async () => {
  const config = path.join(dir, 'calais', 'site.yaml');
  for (const set of [
    ['TOWN=dover'],
    ['SITE=a', 'TOWN=calais'],
    ['SITE=a', 'TOWN=dover', 'KEEP=9'],
    ['SITE=a', 'TOWN=dover', 'PORT=1'],
    ['SITE=A B', 'TOWN=dover'],
  ])
    expect(await render('calais', set, 2)).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
  expect(await render('calais', ['SITE=a', 'SITE=b', 'TOWN=dover'], 2)).toMatchObject({ error: { code: 'USAGE' } });
  expect(existsSync(config)).toBe(false);
  // one that is there stays as it was
  await render('calais', ['SITE=calais-1', 'TOWN=dover']);
  const before = readFileSync(config, 'utf8');
  await render('calais', ['SITE=calais-1', 'TOWN=dover', 'KEEP=5'], 2);
  expect(readFileSync(config, 'utf8')).toBe(before);
});
