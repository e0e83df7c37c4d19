/** Rows D7 and D9: what a statement says is erased. Leaf and proof stay, nothing that was refused passes for it, and all that would have read it says by whose order and why it cannot. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256 } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { postgresPrograms, startPostgres } from '../support/postgres.js';
import { filesInTar } from '../support/read-tar.js';
import { expectJson } from '../support/run.js';

const WHY = 'names a colleague';
let dir: string;
let lane: TestLane;
/** Offered by every stage, and refused by the first: a case of its tests failed. */
let offered: string;
let refused: string;
let decision: string;
let result: string;
let logIndex: number;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-erased-'));
  lane = await makeLane(dir);
  offered = await lane.release('1.0.0');
  await lane.promote(offered);
  refused = await lane.release('2.0.0');
  await lane.evidence(refused);
  const report = path.join(dir, 'junit-2.xml');
  const junit =
    '<testsuites><testsuite name="readings" tests="1" failures="1"><testcase classname="readings" name="as Carol saw it"><failure/></testcase></testsuite></testsuites>\n';
  writeFileSync(report, junit);
  const [added] = (await lane.sealane(['evidence', 'add', refused, '--tests', report, '--hardware', lane.hardware, '--key', 'lab']))
    .statements;
  [result, logIndex] = [added.digest, added.logIndex];
  decision = (await lane.sealane(['promote', refused, '--to', 'dev'], 3)).statement;
  await lane.sealane(['erase', sha256(new Uint8Array(Buffer.from(junit))), '--reason', WHY, '--key', 'registrar']);
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const eraseAt = (digest: string, key = 'registrar'): readonly string[] => ['erase', digest, '--reason', WHY, '--key', key];

/** Files below a folder in which a text stands, as it is or in base64. */
function holding(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}

describe('D9 erasure of a statement', () => {
  it('refuses what a stage offers, what is of a kind that stands, and who is not the registrar; nothing goes', async () => {
    const { size } = (await lane.sealane(['audit', 'snapshot'])).answer;
    const seen = new Set<string>();
    for (let at = 0; at < logIndex; at += 1) {
      const { predicateType, digest } = await lane.sealane(['log', 'prove', String(at)]);
      // all that was said of what is offered, and its provenance and tests among it
      if (at > 7 || seen.has(predicateType)) continue;
      seen.add(predicateType);
      expect([predicateType, (await lane.sealane(eraseAt(digest), 3)).error.code]).toEqual([predicateType, 'STATEMENT_IN_FORCE']);
    }
    expect(seen.size).toBeGreaterThan(3);
    expect((await lane.sealane(eraseAt(decision), 3)).error.code).toBe('STATEMENT_IN_FORCE');
    expect((await lane.sealane(eraseAt(result, 'alice'), 3)).error.code).toBe('EVIDENCE_SIGNER');
    expect((await lane.sealane(['audit', 'snapshot'])).answer.size).toBe(size);
    expect(holding(lane.home, 'Carol')).not.toEqual([]);
  });

  it('is logged first, goes on after a kill, and leaves nothing of it in ledger and lane', async () => {
    await killAt('ledger:erased', 'sealane', [...eraseAt(result), '--home', lane.home, '--json']);
    expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true, erased: [{ logIndex }] });
    const erased = await lane.sealane(eraseAt(result));
    expect(erased).toMatchObject({ statements: [{ predicateType: 'urn:sealane:erasure:v1' }], erased: [{ digest: result, logIndex }] });
    expect(holding(lane.home, 'Carol')).toEqual([]);
    expect(await lane.sealane(eraseAt(result))).toEqual(erased);
  });

  it('leaves log, proofs and projection whole: leaf and digest are there, what it said is not', async () => {
    expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
    expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true, gone: [], erased: [{ logIndex, digest: result }] });
    expect((await lane.sealane(['log', 'prove', String(logIndex)], 4)).error).toMatchObject({ code: 'STATEMENT_ERASED' });
    await lane.sealane(['gc']);
  });

  it('turns no refusal into a pass: what was about the release counts at its worst, other releases go on', async () => {
    for (const words of [
      ['plan', refused, '--to', 'dev'],
      ['promote', refused, '--to', 'dev'],
      ['evidence', 'verify', refused, '--to', 'dev'],
      ['replay', decision],
    ]) {
      const { error } = await lane.sealane(words, 4);
      expect([words[0], error.code]).toEqual([words[0], 'STATEMENT_ERASED']);
      expect(error.message).toContain(`entry ${logIndex}`);
    }
    await lane.promote(await lane.release('3.0.0'));
  });

  it('is told by the auditor, with the reason, and by an export', async () => {
    const trace = await lane.sealane(['audit', 'trace', refused], 4);
    expect(trace.complete).toBe(false);
    expect(trace.answer.doubts).toContainEqual({
      statement: result,
      logIndex,
      code: 'STATEMENT_ERASED',
      message: expect.stringMatching(new RegExp(`erased by the registrar in entry \\d+: ${WHY}`)),
    });
    const replayed = await lane.sealane(['audit', 'replay', decision], 4);
    expect(replayed).toMatchObject({ complete: false, answer: { decision, recorded: 'FAILED', replayed: null, sameVerdict: false } });
    expect(replayed.answer.doubts).toContainEqual(trace.answer.doubts.find(({ code }: { code: string }) => code === 'STATEMENT_ERASED'));
    const population = await lane.sealane(['audit', 'population'], 4);
    expect(population.answer.doubts).toContainEqual(expect.objectContaining({ logIndex, code: 'STATEMENT_ERASED' }));
    const file = path.join(dir, 'export.tar');
    await lane.sealane(['audit', 'export', '--release', refused, '--out', file]);
    const files = await filesInTar(file);
    expect(Buffer.from(files.get('README.txt') ?? '').toString()).toMatch(
      new RegExp(`${result}: erased by the registrar in entry \\d+: ${WHY}`),
    );
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    expect((await lane.sealane(['audit', 'check', file, '--root', root])).answer).toMatchObject({ ok: true });
  });

  it('an approver with nothing but the lane reads the log around it, and a backup restores', async () => {
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    const explained = await expectJson('sealane', ['explain', offered, '--to', 'prod', '--lane', lane.lane, '--root', root]);
    expect(explained.release).toBe(offered);
    const file = path.join(dir, 'backup.tar');
    await lane.sealane(['backup', '--out', file, '--without-keys']);
    await expectJson('sealane', ['restore', file, '--home', path.join(dir, 'restored')]);
  });
});

const programs = postgresPrograms();
describe.runIf(programs !== undefined)('D9 erasure in PostgreSQL (skipped without initdb, postgres, pg_basebackup)', () => {
  it('leaves nothing of what a statement said in the tables, nor in their free pages', async () => {
    if (programs === undefined) return;
    const server = await startPostgres(programs);
    const database = await server.createDatabase('lane');
    const folder = mkdtempSync(path.join(dir, 'postgres-'));
    const shared = await makeLane(folder, { database: database.json });
    try {
      const release = await shared.release('1.0.0');
      const report = path.join(folder, 'junit.xml');
      writeFileSync(
        report,
        readFileSync(report, 'utf8').replace('case 5', 'as Carol saw it').replace('name="readings"', 'name="of-Carol"'),
      );
      const words = ['evidence', 'add', release, '--tests', report, '--hardware', shared.hardware, '--key', 'lab'];
      const [{ digest }] = (await shared.sealane(words)).statements;
      const tables = path.join(path.dirname(server.socket), 'data', 'base');
      const onDisk = async (): Promise<readonly string[]> => {
        await server.sql('CHECKPOINT');
        return holding(tables, 'Carol');
      };
      expect((await onDisk()).length).toBeGreaterThan(0);
      await shared.sealane(['erase', digest, '--reason', WHY, '--key', 'registrar']);
      expect(await onDisk()).toEqual([]);
      expect((await shared.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
    } finally {
      await shared.stop();
      await server.remove();
    }
  });
});
