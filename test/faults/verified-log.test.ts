/** What a promoter has verified of a log in a database (`ledger.sqlite.verified`): lost, cut, killed or failed while it is written, it is what the log says. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cosign, hex, parseCheckpoint } from '@sealane/core';
import { ed25519NoteSigner, type Ledger, ledgerAt, openLedger } from '@sealane/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numbered, oneOfEach, testKey } from '../../packages/ledger/src/testing/statements.js';
import { type Database, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.js';
import { requireProgram } from '../support/require-program.js';
import { ROOT } from '../support/run.js';
import { countCalls, type Injection, pointsOf, runTraced, type Traced } from '../support/traced.js';

const ORIGIN = 'lane.example';
const now = (): string => '2026-11-24T10:00:00Z';
const CHILD = path.join(ROOT, 'test', 'support', 'append-child.mjs');
const programs = postgresPrograms();
const strace = requireProgram('strace');
const [author, site] = [testKey(), testKey()];
/** More than one step of catching up. */
const ENTRIES = 2_300;

let dir: string;
let server: Postgres;
let database: Database;
let key: KeyObject;
/** A promoter's folder as it is made: keys, where the database is, and nothing verified. */
let fresh: string;
/** What the promoter says that logged it all. */
let whole: object;

beforeAll(async () => {
  if (programs === undefined) return;
  dir = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-verified-'));
  server = await startPostgres(programs);
  database = await server.createDatabase('log');
  key = generateKeyPairSync('ed25519').privateKey;
  fresh = path.join(dir, 'fresh');
  mkdirSync(fresh);
  writeFileSync(path.join(fresh, 'log.pem'), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(path.join(fresh, 'database.json'), database.json);
  writeFileSync(path.join(fresh, 'none.json'), '[]');
  const ledger = await open(copyOf(fresh));
  await ledger.append(oneOfEach(author, site));
  await save(ledger);
  for (let at = 0; at < ENTRIES; at += 230) await ledger.append(Array.from({ length: 230 }, (_, n) => numbered(author, at + n)));
  await save(ledger);
  whole = await answersOf(ledger);
  await ledger.close();
});

afterAll(async () => {
  if (programs === undefined) return;
  await server.remove();
  rmSync(dir, { recursive: true, force: true });
});

async function save(ledger: Ledger): Promise<void> {
  const note = await ledger.checkpointNote();
  const witness = { name: 'witness.example', privateKey: generateKeyPairSync('ed25519').privateKey };
  await ledger.saveCosigned(note + cosign(witness, parseCheckpoint(note).text, 1_795_600_000));
}

function copyOf(folder: string): string {
  const copy = path.join(mkdtempSync(path.join(dir, 'copy-')), 'ledger');
  cpSync(folder, copy, { recursive: true });
  return copy;
}

const fileIn = (folder: string): string => path.join(folder, 'ledger.sqlite.verified');

function open(folder: string): Promise<Ledger> {
  return openLedger({ ...ledgerAt(path.join(folder, 'ledger.sqlite')), origin: ORIGIN, logSigner: ed25519NoteSigner(ORIGIN, key), now });
}

/** What is looked up: head and proofs, checkpoints, the projection, entries. */
async function answersOf(ledger: Ledger): Promise<object> {
  const { size, root } = await ledger.head();
  const [about] = await ledger.releases();
  return {
    size,
    root: hex(root),
    proof: (await ledger.inclusionProof(7, size)).map(hex),
    covering: await Promise.all([0, 8, size - 1].map((index) => ledger.firstCosignedCovering(index))),
    about: await ledger.statementsAbout(about!.release),
    counts: await ledger.statementCounts(),
    fleet: await ledger.fleet('prod'),
    last: await ledger.entries(size - 2, 9),
  };
}

async function expectWhole(folder: string): Promise<void> {
  const ledger = await open(folder);
  try {
    expect(await answersOf(ledger)).toEqual(whole);
  } finally {
    await ledger.close();
  }
}

describe.skipIf(programs === undefined)('what was verified of a log (skipped without initdb, postgres, pg_basebackup)', () => {
  /** A folder in which all is verified. */
  let caughtUp: string;

  beforeAll(async () => {
    caughtUp = copyOf(fresh);
    await expectWhole(caughtUp);
  });

  it('D2 is the same for a promoter that was away for thousands of entries, and only its owner reads the file', () => {
    expect(statSync(fileIn(caughtUp)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['is gone', (file: string) => rmSync(file)],
    ['is empty', (file: string) => truncateSync(file, 0)],
    ['was cut in the middle', (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ['lacks its last page', (file: string) => truncateSync(file, statSync(file).size - 4096)],
    ['is no database', (file: string) => writeFileSync(file, 'x'.repeat(100_000))],
    ['is one of something else', (file: string) => cpSync(path.join(fileIn(caughtUp), '..', 'other.sqlite'), file)],
  ])('D2 is made anew of the log when the file %s', async (_, spoil) => {
    const other = path.join(caughtUp, 'other.sqlite');
    if (!existsSync(other))
      await (await openLedger({ file: other, origin: ORIGIN, logSigner: ed25519NoteSigner(ORIGIN, key), now })).close();
    const folder = copyOf(caughtUp);
    spoil(fileIn(folder));
    await expectWhole(folder);
    // once
    const before = readFileSync(fileIn(folder));
    await expectWhole(folder);
    expect(readFileSync(fileIn(folder)).equals(before)).toBe(true);
  });

  it('D2 is written once by processes that catch up at the same time', async () => {
    const folder = copyOf(fresh);
    await Promise.all(Array.from({ length: 4 }, () => expectWhole(folder)));
    await expectWhole(folder);
  });
});

describe.skipIf(programs === undefined || strace === undefined)(
  'what was verified of a log, while it is written (skipped without strace, initdb, postgres, pg_basebackup)',
  () => {
    const traced = (folder: string): Traced => ({
      strace: strace ?? '',
      log: path.join(dir, 'strace.log'),
      paths: ['', '-wal', '-shm'].map((end) => fileIn(folder) + end),
      calls: ['openat', 'pwrite64', 'fsync', 'ftruncate', 'unlink'],
      command: [CHILD, folder, path.join(folder, 'none.json')],
    });
    let points: readonly (readonly [call: string, when: number])[];

    beforeAll(async () => {
      const run = traced(copyOf(fresh));
      expect((await runTraced(run)).stdout.trim()).toBe('{"closed":true}');
      const counts = countCalls(run.log);
      for (const call of ['pwrite64', 'fsync']) expect(counts.get(call), call).toBeGreaterThan(3);
      points = pointsOf(counts, 4);
    });

    it.each(['signal=KILL', 'error=EIO', 'error=ENOSPC'] as const)(
      'D2 goes on after %s at a system call',
      async (what: Injection['what']) => {
        for (const [call, when] of points.filter(([name]) => what === 'signal=KILL' || name === 'pwrite64')) {
          const folder = copyOf(fresh);
          const ended = await runTraced(traced(folder), { call, what, when });
          if (what === 'signal=KILL') expect(ended.signal, `${call} ${when}`).toBe('SIGKILL');
          else expect(ended.stdout, `${call} ${when}`).toMatch(/^(\{"closed":true\}|\{"failed":"LEDGER_(WRITE_FAILED|UNREADABLE)".*)\n$/);
          await expectWhole(folder);
          rmSync(path.dirname(folder), { recursive: true });
        }
      },
    );
  },
);
