/** A witness killed or failed at each system call on its state: whatever it has signed, it never signs another tree of that size, nor a smaller one. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hex, parseCheckpoint, parseVkey, SealaneError, sha256Raw, utf8, type Vkey } from '@sealane/core';
import { ed25519NoteSigner, type Ledger, openLedger, requestCosignature } from '@sealane/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numbered, testKey } from '../../packages/ledger/src/testing/statements.js';
import { requireProgram } from '../support/require-program.js';
import { commandWords, type Server, startServer } from '../support/run.js';
import { countCalls, type Injection, pointsOf, startTraced, type Traced } from '../support/traced.js';

const ORIGIN = 'lane.example';
const now = (): string => '2026-11-24T10:00:00Z';
const strace = requireProgram('strace');
const author = testKey();
/** The log as it grows, and a fork of it that parts after two entries. */
let log: Ledger;
let fork: Ledger;
let dir: string;
let witnessVkey: Vkey;
/** Checkpoints of both by size. */
const notes = { log: new Map<number, string>(), fork: new Map<number, string>() };
type Side = keyof typeof notes;

beforeAll(async () => {
  dir = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-witness-'));
  const logKey = generateKeyPairSync('ed25519').privateKey;
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(path.join(dir, 'witness.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  log = await openAt('log', logKey);
  await log.append([numbered(author, 0), numbered(author, 1)]);
  await log.copyTo(path.join(dir, 'fork.sqlite'));
  fork = await openAt('fork', logKey);
  for (const [side, ledger] of [
    ['log', log],
    ['fork', fork],
  ] as const) {
    notes[side].set(2, await ledger.checkpointNote());
    for (const size of [3, 5]) {
      while ((await ledger.size()) < size) await ledger.append([numbered(author, (side === 'log' ? 100 : 200) + (await ledger.size()))]);
      notes[side].set(size, await ledger.checkpointNote());
    }
  }
  const server = await startServer('sealane', serveWords(path.join(dir, 'first')));
  await server.stop();
  witnessVkey = parseVkey(server.vkey ?? '');
});

afterAll(async () => {
  await log.close();
  await fork.close();
  rmSync(dir, { recursive: true, force: true });
});

function openAt(name: string, key: KeyObject): Promise<Ledger> {
  return openLedger({ file: path.join(dir, `${name}.sqlite`), origin: ORIGIN, logSigner: ed25519NoteSigner(ORIGIN, key), now });
}

function serveWords(state: string): readonly string[] {
  return ['witness', 'serve', '--state', state, '--log', log.vkey, '--listen', '127.0.0.1:0', '--key', path.join(dir, 'witness.pem')];
}

function traced(state: string): Traced {
  const file = path.join(state, `${hex(sha256Raw(utf8(ORIGIN)))}.checkpoint`);
  return {
    strace: strace ?? '',
    log: path.join(dir, 'strace.log'),
    paths: [state, file, `${file}.new`],
    calls: ['openat', 'write', 'fsync', 'rename', 'unlink'],
    command: commandWords('sealane', serveWords(state)),
  };
}

/** The sizes that a run asks for, one after the other; the last twice, as after a lost answer. */
const ASKED = [2, 3, 5, 5];

/** What a witness has let out, in order. */
interface Signed {
  readonly size: number;
  readonly root: string;
}

/** Asks until there is a word: signed, or refused; unreachable is undefined. */
async function ask(server: Server, side: Side, size: number, signed: Signed[]): Promise<'signed' | 'refused' | 'away'> {
  const note = notes[side].get(size) ?? '';
  const ledger = side === 'log' ? log : fork;
  try {
    await requestCosignature({
      witness: { vkey: witnessVkey, url: server.url },
      note,
      size,
      believedSize: 0,
      consistencyProof: (size1, size2) => ledger.consistencyProof(size1, size2),
      post: async (url, body, signal) => {
        const response = await fetch(url, { method: 'POST', body, signal });
        return { status: response.status, body: await response.text() };
      },
      signal: AbortSignal.timeout(30_000),
    });
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    expect(error.code, error.message).toMatch(/^(WITNESS_UNREACHABLE|LOG_FORK|LOG_RESTORED)$/);
    return error.code === 'WITNESS_UNREACHABLE' ? 'away' : 'refused';
  }
  signed.push({ size, root: hex(parseCheckpoint(note).root) });
  return 'signed';
}

/** Never two roots of one size, never a smaller tree than before. */
function expectOneHistory(signed: readonly Signed[], context: string): void {
  expect(
    [...signed].sort((a, b) => a.size - b.size),
    context,
  ).toEqual(signed);
  const roots = new Map(signed.map(({ size, root }) => [size, root]));
  for (const { size, root } of signed) expect(root, context).toBe(roots.get(size));
  const first = signed.find(({ size }) => size > 2);
  const side = (['log', 'fork'] as const).find(
    (each) => hex(parseCheckpoint(notes[each].get(first?.size ?? 2) ?? '').root) === first?.root,
  );
  // and all of them are of one side: the other is no extension of what was signed
  if (side !== undefined) {
    for (const { size, root } of signed) expect(root, context).toBe(hex(parseCheckpoint(notes[side].get(size) ?? '').root));
  }
}

describe.skipIf(strace === undefined)('a witness hit at a system call on its state (skipped without strace)', () => {
  let points: readonly (readonly [call: string, when: number])[];

  beforeAll(async () => {
    const state = stateFolder();
    const server = await startTraced(traced(state));
    const signed: Signed[] = [];
    for (const size of ASKED) expect(await ask(server, 'log', size, signed)).toBe('signed');
    expect(await ask(server, 'fork', 5, signed)).toBe('refused');
    expectOneHistory(signed, 'untouched');
    await server.stop();
    const counts = countCalls(traced(state).log);
    for (const call of ['openat', 'write', 'fsync', 'rename']) expect(counts.get(call), call).toBeGreaterThanOrEqual(4);
    points = pointsOf(counts, 4);
  });

  function stateFolder(): string {
    const state = path.join(mkdtempSync(path.join(dir, 'run-')), 'state');
    mkdirSync(state);
    return state;
  }

  /** One life of a witness that is hit once, and is started again when it died of it. `forkFirst` says whose checkpoint is brought first then. */
  async function runAt(injection: Injection, forkFirst: 'fork-first' | 'log-first'): Promise<'hit' | 'never-came'> {
    const [state, signed] = [stateFolder(), [] as Signed[]];
    const context = `${injection.call} ${injection.what} ${injection.when} ${forkFirst}`;
    const servers: Server[] = [];
    const start = async (hit?: Injection): Promise<Server> => {
      const server = hit === undefined ? await startServer('sealane', serveWords(state)) : await startTraced(traced(state), hit);
      servers.push(server);
      return server;
    };
    let hits = 0;
    try {
      let server: Server;
      try {
        server = await start(injection);
      } catch {
        // killed or failed while it was starting: nobody was answered
        hits += 1;
        server = await start();
      }
      for (const size of ASKED) {
        if ((await ask(server, 'log', size, signed)) !== 'away') continue;
        hits += 1;
        if (injection.what === 'signal=KILL') server = await start();
        const early = forkFirst === 'fork-first' ? await ask(server, 'fork', size, signed) : 'refused';
        const [again, other] = [await ask(server, 'log', size, signed), await ask(server, 'fork', size, signed)];
        // the client that asks again gets its answer, unless the fork was faster; never both
        expect([early, again, other], context).not.toContain('away');
        if (size === 2 || early === 'refused') expect(again, context).toBe('signed');
        if (size > 2) expect(again === 'signed', context).toBe(other === 'refused');
      }
      // killed after its last answer, perhaps
      if ((await ask(server, 'fork', 5, signed)) === 'away') await ask(await start(), 'fork', 5, signed);
      expectOneHistory(signed, context);
      return hits > 0 ? 'hit' : 'never-came';
    } finally {
      for (const server of servers) await server.stop('SIGKILL');
      rmSync(path.dirname(state), { recursive: true, force: true });
    }
  }

  async function runAtEach(what: Injection['what'], calls: RegExp): Promise<void> {
    const hit: string[] = [];
    for (const [call, when] of points) {
      for (const order of ['fork-first', 'log-first'] as const)
        if (calls.test(call) && (await runAt({ call, what, when }, order)) === 'hit') hit.push(call);
    }
    expect(new Set(hit)).toEqual(new Set(points.map(([call]) => call).filter((call) => calls.test(call))));
  }

  it('with a kill', () => runAtEach('signal=KILL', /./));

  it('with an I/O error', () => runAtEach('error=EIO', /write|fsync|rename/));
});
