/** The auditor's answers over a real ledger: what they say, what they prove, and what they say of a copy that was edited. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, runJson } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
let one: string;
let two: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-audit-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
  one = await lane.release('1.0.0');
  await lane.promote(one);
  await site.must(['update']);
  two = await lane.release('1.1.0');
  await lane.promote(two);
  await site.must(['update']);
  const receipts = path.join(dir, 'receipts');
  await site.must(['receipt', 'export', receipts]);
  await lane.sealane(['statement', 'add', ...[1, 2].map((seq) => path.join(receipts, `harbour-7-${String(seq).padStart(8, '0')}.json`))]);
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Every statement that an answer rests on is in the log, under a checkpoint that both log and witness signed. */
function expectProved({ statements, checkpoint, complete }: Answer['json']): void {
  expect(complete).toBe(true);
  expect(statements.length).toBeGreaterThan(0);
  for (const { digest, logIndex } of statements) {
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(logIndex).toBeGreaterThanOrEqual(0);
  }
  const [origin, size] = (checkpoint as string).split('\n');
  expect(origin).toBe(lane.origin);
  expect(Math.max(...statements.map(({ logIndex }: { logIndex: number }) => logIndex))).toBeLessThan(Number(size));
  expect(checkpoint).toMatch(/— witness\.example /);
}

describe('audit trace', () => {
  it('says how a release was built, tested, approved, decided, and where it runs', async () => {
    const answer = await lane.sealane(['audit', 'trace', two]);
    expect(answer.question).toBe(`trace ${two}`);
    expectProved(answer);
    expect(answer.answer).toMatchObject({
      release: two,
      name: 'readings',
      version: '1.1.0',
      provenance: [{ builder: 'https://ci.example/builder', commits: ['4f1c'.repeat(10)] }],
      tests: [{ suite: 'readings', result: 'PASSED', passed: 5 }],
    });
    expect(answer.answer.approvals.map(({ person }: { person: string }) => person).sort()).toEqual(['alice', 'bob']);
    expect(answer.answer.decisions.map(({ stage, result }: { stage: string; result: string }) => `${stage} ${result}`)).toEqual([
      'dev PASSED',
      'edge-preprod PASSED',
      'prod PASSED',
    ]);
    expect(answer.answer.sites).toMatchObject([{ site: 'harbour-7', event: 'installed' }]);
    expect(answer.answer.testedOn.length).toBe(1);
  });

  it('of a release that is not there is 2', async () => {
    expect((await lane.sealane(['audit', 'trace', `sha256:${'0'.repeat(64)}`], 2)).error.code).toBe('RELEASE_UNKNOWN');
  });
});

describe('audit at', () => {
  it('says what runs at a site, and what ran there before', async () => {
    const now = await lane.sealane(['audit', 'at', 'harbour-7']);
    expectProved(now);
    expect(now.answer).toMatchObject({ site: 'harbour-7', stage: 'prod', release: two, version: '1.1.0', missing: [] });
    expect(now.answer.history.map(({ event, previous }: { event: string; previous: string | null }) => [event, previous])).toEqual([
      ['installed', null],
      ['installed', one],
    ]);
    const [first] = now.answer.history;
    const then = await lane.sealane(['audit', 'at', 'harbour-7', '--as-of', first.at]);
    expect(then.answer).toMatchObject({ release: one, version: '1.0.0' });
    const before = await lane.sealane(['audit', 'at', 'harbour-7', '--as-of', '2026-01-01T00:00:00Z']);
    expect(before.answer).toMatchObject({ release: null });
  });

  it('of a site that is not there, or a time that is none, is 2', async () => {
    expect((await lane.sealane(['audit', 'at', 'harbour-8'], 2)).error.code).toBe('SITE_UNKNOWN');
    expect((await lane.sealane(['audit', 'at', 'harbour-7', '--as-of', 'noon'], 2)).error.code).toBe('USAGE');
  });
});

it('what no witness has seen yet is named as not proved', async () => {
  const copy = path.join(dir, 'unwitnessed');
  cpSync(lane.home, copy, { recursive: true });
  const words = ['evidence', 'add', two, '--tests', path.join(dir, 'junit.xml'), '--key', 'lab', '--home', copy];
  expect((await runJson('sealane', words)).exit).toBe(0);
  const answer = await runJson('sealane', ['audit', 'trace', two, '--home', copy]);
  expect(answer.json).toMatchObject({ complete: false });
  expect(answer.json.answer.doubts.map(({ code }: { code: string }) => code)).toContain('LOG_WITNESS');
});

describe('a copy of the ledger that was edited', () => {
  /** Edits a copy past the one trigger that keeps the table, which is put back. */
  async function edited(table: string, statement: string): Promise<Answer> {
    const copy = mkdtempSync(path.join(dir, 'edited-'));
    cpSync(lane.home, copy, { recursive: true });
    const database = new Database(path.join(copy, 'ledger', 'ledger.sqlite'));
    database.pragma('foreign_keys = OFF');
    for (const end of ['frozen', 'kept']) {
      const { sql } = database
        .prepare<[string], { sql: string }>("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?")
        .get(`${table}_${end}`)!;
      database.exec(`DROP TRIGGER ${table}_${end}`);
      if (statement.startsWith('DELETE') === (end === 'kept')) database.exec(statement);
      database.exec(sql);
    }
    database.close();
    return await runJson('sealane', ['audit', 'verify', '--home', copy]);
  }

  const edits: readonly (readonly [string, string])[] = [
    ['envelope', "UPDATE envelope SET payload = CAST(replace(CAST(payload AS TEXT), 'PASSED', 'FAILED') AS BLOB) WHERE idx = 4"],
    ['log_entry', 'UPDATE log_entry SET leaf = (SELECT leaf FROM log_entry WHERE idx = 2) WHERE idx = 3'],
    ['log_entry', 'UPDATE log_entry SET statement = zeroblob(32) WHERE idx = 2'],
    ['log_entry', 'DELETE FROM log_entry WHERE idx = (SELECT max(idx) FROM log_entry)'],
    ['envelope', 'DELETE FROM envelope WHERE idx = 1'],
    ['log_commit', "UPDATE log_commit SET committed_at = '2020-01-01T00:00:00Z' WHERE size = 1"],
    ['log_commit', 'UPDATE log_commit SET root = zeroblob(32) WHERE size = 2'],
    ['log_commit', 'DELETE FROM log_commit WHERE size = (SELECT max(size) FROM log_commit)'],
    ['cosigned', "UPDATE cosigned SET saved_at = '2020-01-01T00:00:00Z' WHERE seq = 0"],
    ['cosigned', "UPDATE cosigned SET note = replace(note, 'lane', 'land') WHERE seq = 1"],
  ];

  it.each(edits)('%s: %s', async (table, statement) => {
    const answer = await edited(table, statement);
    expect(answer.exit, answer.stdout + answer.stderr).toBe(4);
    if (answer.json.error === undefined) {
      expect(answer.json.answer.ok).toBe(false);
      expect(answer.json.answer.problems.length).toBeGreaterThan(0);
    }
  });

  it('and the ledger itself verifies', async () => {
    expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
    expect(readFileSync(path.join(lane.home, 'log.vkey'), 'utf8')).toMatch(/^lane\.example\+/);
  });
});
