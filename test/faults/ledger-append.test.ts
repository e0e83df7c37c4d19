/**
 * Appends killed or failed at their system calls and at any moment, on the real code and the real disk: what was acknowledged is there for ever,
 * and no two heads that were ever shown contradict each other.
 */
import { spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { equalBytes, parseCheckpoint } from '@sealane/core';
import { ed25519NoteSigner, type Ledger, type NewEntry, openLedger } from '@sealane/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numbered, signed, testKey } from '../../packages/ledger/src/testing/statements.js';
import { requireProgram } from '../support/require-program.js';
import { ROOT } from '../support/run.js';
import { countCalls, type Injection, pointsOf, runTraced, type Traced } from '../support/traced.js';

const ORIGIN = 'lane.example';
const now = (): string => '2026-11-24T10:00:00Z';
const CHILD = path.join(ROOT, 'test', 'support', 'append-child.mjs');
/** What changes the disk. Reads can fail too, but lose nothing. */
const CALLS = ['openat', 'write', 'pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'rename', 'unlink'];
const strace = requireProgram('strace');
const author = testKey();

let dir: string;
/** A closed ledger of 250 entries, one of them cosigned: six more fill a tile. */
let template: string;
let logKey: KeyObject;

beforeAll(async () => {
  // in memory where there is such a disk: a killed process loses nothing that it has written there either, and a flush costs nothing
  dir = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-append-'));
  template = path.join(dir, 'template');
  mkdirSync(template);
  const keys = ['log.pem', 'witness.pem'].map((name) => ({ name, key: generateKeyPairSync('ed25519').privateKey }));
  logKey = keys[0]!.key;
  for (const { name, key } of keys) writeFileSync(path.join(template, name), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const ledger = await open(template);
  await ledger.append(Array.from({ length: 250 }, (_, n) => numbered(author, n)));
  await ledger.close();
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

function open(folder: string): Promise<Ledger> {
  return openLedger({ file: path.join(folder, 'ledger.sqlite'), origin: ORIGIN, logSigner: ed25519NoteSigner(ORIGIN, logKey), now });
}

function copyOf(folder: string): string {
  const copy = path.join(mkdtempSync(path.join(dir, 'copy-')), 'ledger');
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** Writes the calls that a child makes, each a batch. */
function statementsFile(name: string, calls: readonly (readonly NewEntry[])[]): string {
  const file = path.join(dir, name);
  const written = calls.map((call) =>
    call.map(({ envelope, spki }) => ({ envelope, spki: Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength).toString('base64') })),
  );
  writeFileSync(file, JSON.stringify(written));
  return file;
}

/** A line of the child. */
interface Said {
  readonly appended?: readonly (readonly [index: number, digest: string])[];
  readonly shown?: string;
  readonly cosigned?: string;
  readonly closed?: true;
  readonly failed?: string | null;
  readonly message?: string;
}

function saidIn(stdout: string): readonly Said[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Said);
}

/** All that must hold of a ledger after whatever happened to those who wrote it. */
async function expectKept(folder: string, said: readonly Said[]): Promise<void> {
  const ledger = await open(folder);
  try {
    const size = await ledger.size();
    // it goes on
    expect((await ledger.append([numbered(author, 1_000_000 + size)]))[0]).toMatchObject({ existed: false, index: size });
    await expectAllThere(ledger, said);
  } finally {
    await ledger.close();
  }
}

async function expectAllThere(ledger: Ledger, said: readonly Said[]): Promise<void> {
  for (const [index, digest] of said.flatMap(({ appended }) => appended ?? [])) {
    expect((await ledger.entry(index)).statementDigest).toBe(digest);
  }
  for (const note of said.flatMap(({ shown, cosigned }) => [shown, cosigned]).filter((each) => each !== undefined)) {
    const { size, root } = parseCheckpoint(note);
    expect(equalBytes(await ledger.rootAt(size), root), `the tree of the first ${size} entries is the one that was shown`).toBe(true);
    await ledger.observe(note);
  }
  const cosigned = said.flatMap(({ cosigned: note }) => note ?? []).at(-1);
  expect(await ledger.verify(cosigned === undefined ? {} : { checkpoint: cosigned })).toMatchObject({ ok: true, problems: [] });
  if (cosigned !== undefined) {
    const latest = await ledger.latestCosigned();
    expect(parseCheckpoint(latest ?? '').size).toBeGreaterThanOrEqual(parseCheckpoint(cosigned).size);
  }
}

describe.skipIf(strace === undefined)('at a system call (skipped without strace)', () => {
  /** A workload, and the calls that are counted and hit. */
  interface Workload {
    readonly statements: string;
    readonly paths: readonly string[];
    readonly calls: readonly string[];
  }
  const FILES = ['', '/ledger.sqlite', '/ledger.sqlite-wal', '/ledger.sqlite-shm', '/ledger.sqlite.anchor', '/ledger.sqlite.anchor.new'];
  const points = new Map<Workload, readonly (readonly [call: string, when: number])[]>();

  beforeAll(async () => {
    // one entry, some, and enough to fill a tile, with three checkpoints that come back from a witness
    const small = [[numbered(author, 1000)], [numbered(author, 1001), numbered(author, 1002)], eight(1100), eight(1200)];
    // so many bytes that the write-ahead log is moved into the file, which is watched alone
    const large = Array.from({ length: 5 }, (_, n) => [large1(3 * n), large1(3 * n + 1), large1(3 * n + 2)]);
    await tryOnce({ statements: statementsFile('small.json', small), paths: FILES, calls: CALLS }, 4);
    await tryOnce({ statements: statementsFile('large.json', large), paths: ['/ledger.sqlite'], calls: ['pwrite64', 'fsync'] }, 2);
  });

  const eight = (from: number): readonly NewEntry[] => Array.from({ length: 8 }, (_, n) => numbered(author, from + n));
  const large1 = (n: number): NewEntry => signed(author, 'urn:example:large:v1', { n, text: 'x'.repeat(750_000) });

  const traced = ({ statements, paths, calls }: Workload, folder: string): Traced => ({
    strace: strace ?? '',
    log: path.join(dir, 'strace.log'),
    paths: paths.map((name) => folder + name),
    calls,
    command: [CHILD, folder, statements],
  });

  /** Runs a workload untouched and picks its points: `some` of each call. */
  async function tryOnce(workload: Workload, some: number): Promise<void> {
    const folder = copyOf(template);
    const whole = traced(workload, folder);
    const ended = await runTraced(whole);
    const said = saidIn(ended.stdout);
    expect(said.at(-1), ended.stderr).toEqual({ closed: true });
    expect(said.filter(({ failed }) => failed !== undefined)).toEqual([]);
    await expectKept(folder, said);
    const counts = countCalls(whole.log);
    // the trace sees what it is for
    const wanted = workload.calls === CALLS ? ['pwrite64', 'fsync', 'write', 'rename', 'unlink'] : workload.calls;
    for (const call of wanted) expect(counts.get(call), call).toBeGreaterThan(0);
    // and every append that was acknowledged was flushed before
    const acknowledged = said.filter(({ appended }) => appended !== undefined);
    if (workload.calls === CALLS) expect(counts.get('fsync')).toBeGreaterThan(acknowledged.length);
    points.set(workload, pointsOf(counts, some));
  }

  async function runAt(workload: Workload, injection: Injection): Promise<void> {
    const folder = copyOf(template);
    const ended = await runTraced(traced(workload, folder), injection);
    const said = saidIn(ended.stdout);
    const failures = said.filter(({ failed }) => failed !== undefined);
    const context = `${injection.call} ${injection.what} ${injection.when}: ${JSON.stringify(failures)} ${ended.stderr}`;
    if (injection.what === 'signal=KILL') expect(ended.signal, context).toBe('SIGKILL');
    else {
      expect({ exit: ended.exit, signal: ended.signal }, context).toEqual({ exit: 0, signal: null });
      for (const { failed } of failures) expect(failed, context).toMatch(/^LEDGER_(WRITE_FAILED|UNREADABLE|BUSY)$/);
    }
    await expectKept(folder, said);
    rmSync(path.dirname(folder), { recursive: true });
  }

  async function runAtEach(what: Injection['what'], calls: RegExp): Promise<void> {
    for (const [workload, picked] of points) {
      for (const [call, when] of picked) if (calls.test(call)) await runAt(workload, { call, what, when });
    }
  }

  it('D2 a kill loses nothing that was acknowledged', () => runAtEach('signal=KILL', /./));

  it('D2 an I/O error fails the append by its code, and loses nothing', () => runAtEach('error=EIO', /write|sync|rename|unlink|ftruncate/));

  it('D2 a full disk fails the append by its code, and loses nothing', () => runAtEach('error=ENOSPC', /write/));
});

describe('at any moment', () => {
  /** Runs a child, kills it after it has said `lines` lines (never, when 0), and returns what it said. */
  async function runFor(folder: string, statements: string, lines: number): Promise<readonly Said[]> {
    const child = spawn(process.execPath, [CHILD, folder, statements], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const said: Said[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(JSON.parse(line) as Said);
      if (said.length === lines) child.kill('SIGKILL');
    }
    await ended;
    return said;
  }

  it('D2 a kill loses nothing that was acknowledged, life after life of one ledger', async () => {
    const folder = copyOf(template);
    const said: Said[] = [];
    for (const [life, lines] of [3, 17, 1, 40, 8, 26].entries()) {
      const statements = statementsFile(
        `life-${life}.json`,
        Array.from({ length: 60 }, (_, n) => [numbered(author, 2000 + life * 100 + n)]),
      );
      const before = said.length;
      said.push(...(await runFor(folder, statements, lines)));
      expect(said.length - before).toBeGreaterThanOrEqual(lines);
      await expectKept(folder, said);
    }
  });

  it('D2 two writers of one ledger, one of them killed, make one history', async () => {
    const folder = copyOf(template);
    const calls = (from: number): string =>
      statementsFile(
        `writer-${from}.json`,
        Array.from({ length: 40 }, (_, n) => [numbered(author, from + n)]),
      );
    const [killed, whole] = await Promise.all([runFor(folder, calls(3000), 20), runFor(folder, calls(4000), 0)]);
    expect(whole.filter(({ failed }) => failed !== undefined)).toEqual([]);
    expect(whole.filter(({ appended }) => appended !== undefined)).toHaveLength(40);
    await expectKept(folder, [...killed, ...whole]);
    const places = [...killed, ...whole].flatMap(({ appended }) => appended ?? []).map(([index]) => index);
    expect(new Set(places).size).toBe(places.length);
  });
});
