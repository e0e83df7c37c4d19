/** The lane of the auditor's examples: two releases, a refusal, a site that went back, a revocation. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeLane, type TestLane } from '../support/lane.js';
import { enrolSite, type TestSite } from '../support/site.js';

/** The lane, and what its examples name: `then` is a time at which 1.0.0 ran, `refused` one at which 1.1.0 was refused, `decision` that refusal, `proposal` a file. */
export interface AuditorLane {
  readonly lane: TestLane;
  readonly site: TestSite;
  readonly one: string;
  readonly two: string;
  readonly then: string;
  readonly refused: string;
  readonly decision: string;
  readonly proposal: string;
  readonly remove: () => Promise<void>;
}

/** A scan that found these. */
const scan = (found: readonly string[]): object => ({
  scanner: {
    uri: 'pkg:github/scanner@1',
    version: '1',
    db: { lastUpdate: now() },
    result: found.map((id) => ({ id, severity: [{ method: 'CVSS', score: '7.5' }] })),
  },
  metadata: { scanStartedOn: now(), scanFinishedOn: now() },
});
const bom = (version: string): object => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: [{ type: 'library', name: 'left-pad', version, purl: `pkg:npm/left-pad@${version}` }],
});
const RIG = {
  bomFormat: 'CycloneDX',
  specVersion: '1.7',
  metadata: {
    component: {
      type: 'device',
      manufacturer: { name: 'Northrack' },
      name: 'ER-220',
      version: 'A03',
      properties: [{ name: 'sealane:serial', value: 'NR0001' }],
      components: [{ type: 'firmware', name: 'BIOS', version: '2.14.1' }],
    },
  },
  components: [
    {
      type: 'device',
      manufacturer: { name: 'Intel' },
      name: 'X710',
      properties: [{ name: 'sealane:slot', value: '0000:3b:00.0' }],
      components: [{ type: 'firmware', name: 'NVM', version: '8.50' }],
    },
  ],
};
const report = (failed: number): string =>
  `<testsuites><testsuite name="bench">${['boots', 'reads', 'sends', 'stores', 'stops']
    .map((name, at) => `<testcase classname="bench" name="${name}">${at < failed ? '<failure/>' : ''}</testcase>`)
    .join('')}</testsuite></testsuites>\n`;

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Tells the story. The caller removes it. */
export async function auditorLane(): Promise<AuditorLane> {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-auditor-'));
  const lane = await makeLane(dir, { pipeline: (text) => text.replace('signers:\n', 'signers:\n  scans: [lab]\n  sboms: [builder]\n') });
  const site = await enrolSite(lane, path.join(dir, 'site'));
  const file = (name: string, content: object | string): string => {
    const at = path.join(dir, name);
    writeFileSync(at, typeof content === 'string' ? content : JSON.stringify(content));
    return at;
  };
  const add = (release: string, ...words: readonly string[]): Promise<unknown> => lane.sealane(['evidence', 'add', release, ...words]);

  const one = await lane.release('1.0.0');
  await lane.promote(one);
  await add(one, '--scan', file('found.json', scan(['CVE-2026-0001'])), '--key', 'lab');
  await add(one, '--sbom', file('one.cdx.json', bom('1.0.0')), '--key', 'builder');
  await site.must(['update']);
  const then = now();
  await new Promise((resolve) => setTimeout(resolve, 1100));

  const two = await lane.release('1.1.0');
  await lane.promote(two, 'edge-preprod');
  const rig = file('rig.cdx.json', RIG);
  await add(two, '--tests', file('failed.xml', report(1)), '--hardware', rig, '--key', 'lab');
  const { statement: decision } = await lane.sealane(['promote', two, '--to', 'prod'], 3);
  const refused = now();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await add(two, '--tests', file('passed.xml', report(0)), '--hardware', rig, '--key', 'lab');
  await add(two, '--scan', file('clean.json', scan([])), '--key', 'lab');
  await add(two, '--sbom', file('two.cdx.json', bom('1.1.0')), '--key', 'builder');
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', two, '--to', 'prod', '--key', person]);
  await lane.sealane(['promote', two, '--to', 'prod']);
  await lane.sealane([
    'exception',
    'create',
    '--release',
    one,
    '--to',
    'prod',
    '--gate',
    'hardware',
    '--key',
    'alice',
    '--reason',
    'fixes an outage',
  ]);

  await site.must(['update']);
  await site.must(['rollback']);
  await lane.sealane(['revoke', one, '--reason', 'CVE-2026-0001']);
  const receipts = path.join(dir, 'receipts');
  await site.must(['receipt', 'export', receipts]);
  await lane.sealane([
    'statement',
    'add',
    ...[1, 2, 3].map((seq) => path.join(receipts, `harbour-7-${String(seq).padStart(8, '0')}.json`)),
  ]);
  await lane.sealane(['publish']);
  const proposal = await propose(lane, path.join(dir, 'proposal.json'), (text) =>
    text.replace(/(- name: prod\n[^]*?) +- use: tests\n.*\n/, '$1'),
  );
  const remove = async (): Promise<void> => {
    await site.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { lane, site, one, two, then, refused, decision, proposal, remove };
}

/** A proposal of another pipeline, in a file of its own; the home has the pipeline again that it had. */
async function propose(lane: TestLane, file: string, change: (pipeline: string) => string): Promise<string> {
  const pipeline = path.join(lane.home, 'pipeline.yaml');
  const text = readFileSync(pipeline, 'utf8');
  writeFileSync(pipeline, change(text));
  await lane.sealane(['trust', 'propose'], 5);
  writeFileSync(pipeline, text);
  renameSync(path.join(lane.home, 'proposal.json'), file);
  return file;
}
