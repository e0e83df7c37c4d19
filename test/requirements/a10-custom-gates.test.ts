/** Windows, scans with VEX, SBOMs and the owners' own rule, through the commands: each refuses what it must, with no evidence first of all, and passes what it asks for. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, ROOT, runJson } from '../support/run.js';

/** What a bundled file loads of its kind, at once or later. */
const IMPORT = /(?:from|import|require|URL)\s*\(?\s*["'`](\.{1,2}\/[\w./-]+\.[cm]js)["'`]/g;

/** A window that is always open, with a freeze that is far away; the other gates ask for evidence. */
const GATES = {
  windows: `{ timeZone: Europe/Berlin, allow: [{ start: '2020-01-01T00:00', rule: 'FREQ=DAILY', hours: 24 }], freeze: [{ start: '2090-01-01T00:00', days: 1, reason: fair }] }`,
  vulnerabilities: '{ max: { critical: 0, high: 0 } }',
  sbom: '{ forbiddenLicences: [AGPL-3.0-only] }',
  cel: `{ message: 'only what the suites of the lab ran', expression: 'tests.passed >= 5 && tests.failed == 0 && packages.all(each, each.image == "app")' }`,
};

let dir: string;
let lane: TestLane;
let release: string;

interface Check {
  readonly id: string;
  readonly verdict: string;
  readonly actual: string;
  readonly evidence: readonly string[];
}

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-a10-'));
  const gates = Object.entries(GATES).map(([use, settings]) => `      - use: ${use}\n        with: ${settings}\n`);
  lane = await makeLane(dir, {
    pipeline: (text) =>
      text
        .replace('  - name: edge-preprod\n    from: [dev]\n    gates:\n', (head) => head + gates.join(''))
        .replace('signers:\n', 'signers:\n  scans: [lab]\n  vex: [author]\n  sboms: [builder]\n'),
  });
  release = await lane.release('1.0.0');
  await lane.promote(release, 'dev');
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function checkOf(id: keyof typeof GATES): Promise<Check | undefined> {
  const { json } = await runJson('sealane', ['plan', release, '--to', 'edge-preprod', '--home', lane.home]);
  return (json.checks as Check[]).find((check) => check.id === id);
}

function file(name: string, document: object): string {
  writeFileSync(path.join(dir, name), JSON.stringify(document));
  return path.join(dir, name);
}

const add = (option: string, document: object, key: string, ...more: readonly string[]): Promise<Answer> =>
  runJson('sealane', [
    'evidence',
    'add',
    release,
    `--${option}`,
    file(`${option}.json`, document),
    '--key',
    key,
    ...more,
    '--home',
    lane.home,
  ]);

/** What a scanner writes; `level` is the one of its findings. */
const sarif = (level?: string): object => ({
  version: '2.1.0',
  runs: [
    {
      tool: { driver: { name: 'scanner', rules: [{ id: 'CVE-2026-0001', properties: { 'security-severity': level ?? '0.0' } }] } },
      invocations: [{ executionSuccessful: true, endTimeUtc: new Date(Date.now() - 60_000).toISOString() }],
      results:
        level === undefined
          ? []
          : [
              {
                ruleId: 'CVE-2026-0001',
                ruleIndex: 0,
                message: { text: 'openssl' },
                locations: [{ physicalLocation: { artifactLocation: { uri: 'usr/lib' } } }],
              },
            ],
    },
  ],
});
const scanned = (): readonly string[] => ['--database-updated', `${new Date(Date.now() - 3_600_000).toISOString().slice(0, 19)}Z`];
const bom = (licence: string, parts = 1): object => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: Array.from({ length: parts }, (_, at) => ({
    type: 'library',
    name: `left-${at}`,
    version: '1.0.0',
    purl: `pkg:npm/left-${at}@1.0.0`,
    licenses: [{ license: { id: at === parts - 1 ? licence : 'MIT' } }],
  })),
});
const vex = (state: string, justification?: string): object => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  vulnerabilities: [
    {
      id: 'CVE-2026-0001',
      analysis: { state, ...(justification === undefined ? {} : { justification }) },
    },
  ],
});

describe('A10 gates of the promoter', () => {
  test('A10 refuse without evidence', async () => {
    for (const id of ['vulnerabilities', 'sbom'] as const) expect(await checkOf(id), id).toMatchObject({ verdict: 'fail', evidence: [] });
    // it asks for an SBOM too, of which there is none
    expect(await checkOf('cel')).toMatchObject({ verdict: 'fail' });
    expect(await checkOf('windows')).toMatchObject({ verdict: 'pass' });
    await lane.sealane(['promote', release, '--to', 'edge-preprod'], 3);
  });

  test('A10 evidence by a key that policy does not name for it is refused before it is logged', async () => {
    for (const [option, document] of [
      ['scan', sarif()],
      ['sbom', bom('MIT')],
    ] as const) {
      const { exit, json } = await add(option, document, 'author', ...(option === 'scan' ? scanned() : []));
      expect({ exit, code: json.error.code }, option).toEqual({ exit: 3, code: 'EVIDENCE_SIGNER' });
    }
    const { exit } = await add('sbom', { bomFormat: 'CycloneDX', specVersion: '1.6', components: [] }, 'builder');
    expect(exit).toBe(3);
  });

  test('A10 a scan that found something high refuses, until VEX refutes it with a justification or a newer scan finds nothing', async () => {
    const found = { verdict: 'fail', actual: expect.stringContaining('1 critical') };
    expect((await add('scan', sarif('9.8'), 'lab', ...scanned())).exit).toBe(0);
    expect(await checkOf('vulnerabilities')).toMatchObject(found);
    expect((await add('vex', vex('not_affected'), 'author')).exit).toBe(0);
    expect(await checkOf('vulnerabilities')).toMatchObject(found);
    expect((await add('vex', vex('not_affected', 'code_not_reachable'), 'author')).exit).toBe(0);
    expect(await checkOf('vulnerabilities')).toMatchObject({ verdict: 'pass' });
    expect((await add('vex', vex('exploitable'), 'author')).exit).toBe(0);
    expect(await checkOf('vulnerabilities')).toMatchObject(found);
    expect((await add('scan', sarif(), 'lab', ...scanned())).exit).toBe(0);
    expect(await checkOf('vulnerabilities')).toMatchObject({ verdict: 'pass' });
  });

  test('A10 a forbidden licence refuses; the owners’ rule reads the same evidence, and the release goes on', async () => {
    expect((await add('sbom', bom('AGPL-3.0-only'), 'builder')).exit).toBe(0);
    expect(await checkOf('sbom')).toMatchObject({ verdict: 'fail', actual: expect.stringContaining('AGPL-3.0-only') });
    expect((await add('sbom', bom('MIT'), 'builder')).exit).toBe(0);
    expect(await checkOf('sbom')).toMatchObject({ verdict: 'pass' });
    // that of a whole distribution, 7 MiB, is read to its last part; one that no statement holds is refused before anything is logged
    expect((await add('sbom', bom('AGPL-3.0-only', 60_000), 'builder')).exit).toBe(0);
    expect(await checkOf('sbom')).toMatchObject({ verdict: 'fail', actual: expect.stringContaining('AGPL-3.0-only') });
    expect((await add('sbom', bom('MIT', 150_000), 'builder')).exit).toBe(2);
    expect((await add('sbom', bom('MIT', 2), 'builder')).exit).toBe(0);
    expect(await checkOf('sbom')).toMatchObject({ verdict: 'pass' });
    expect(await checkOf('cel')).toMatchObject({ verdict: 'pass', actual: 'true' });
    await lane.promote(release, 'edge-preprod');
  });

  test('A10 a freeze waits with the time at which it ends; a rule that cannot be read is refused with its line', async () => {
    const day = (from: number): string => new Date(Date.now() + from * 86_400_000).toISOString().slice(0, 10);
    const frozen = `{ timeZone: UTC, freeze: [{ start: '${day(-2)}T00:00', days: 300, reason: fair }] }`;
    const other = await makeLane(path.join(dir, 'frozen'), {
      pipeline: (text) => text.replace('  - name: dev\n    gates:\n', (head) => `${head}      - use: windows\n        with: ${frozen}\n`),
    });
    try {
      const held = await other.release('1.0.0');
      await other.evidence(held);
      const { exit, json } = await runJson('sealane', ['promote', held, '--to', 'dev', '--home', other.home]);
      expect({ exit, decision: json.decision }).toEqual({ exit: 5, decision: 'pending' });
      expect(json.earliest).toBe(`${day(298)}T00:00:00Z`);
    } finally {
      await other.stop();
    }
    const broken = path.join(dir, 'broken.yaml');
    writeFileSync(
      broken,
      `apiVersion: sealane/v1\nkind: Pipeline\nlane: lane.example\nstages:\n  - name: dev\n    gates:\n      - { use: cel, with: { message: m, expression: 'site == 1' } }\n`,
    );
    const refused = await runJson('sealane', ['init', path.join(dir, 'none'), '--pipeline', broken]);
    expect({ exit: refused.exit, message: refused.json.error.message }).toEqual({
      exit: 2,
      message: expect.stringMatching(/broken\.yaml:7:\d+: .*expected the names/),
    });
  });

  test('A10 no program of a site has CEL, recurrence rules or a database in it', () => {
    const seen = new Set<string>();
    const walk = (name: string): void => {
      if (seen.has(name)) return;
      seen.add(name);
      const text = readFileSync(name, 'utf8');
      for (const [, next = ''] of text.matchAll(IMPORT)) walk(path.join(path.dirname(name), next));
    };
    const foreign = /celEnv|rrule|better-sqlite3/;
    walk(path.join(ROOT, 'dist', 'sealane.mjs'));
    expect([...seen].filter((name) => foreign.test(readFileSync(name, 'utf8')))).not.toEqual([]);
    seen.clear();
    for (const program of ['sealane-site', 'sealane-site-fetch']) walk(path.join(ROOT, 'dist', `${program}.mjs`));
    expect(seen.size).toBeGreaterThan(10);
    expect([...seen].filter((name) => foreign.test(readFileSync(name, 'utf8')))).toEqual([]);
  });
});
