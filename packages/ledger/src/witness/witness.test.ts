/** The witness over real HTTP (C2SP tlog-witness): every status code, what it remembers, and requests that no log would send. */
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseVkey, verifyCosignatures } from '@sealane/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tryParser } from '../../../../test/support/hostile-input.js';
import type { Ledger } from '../ledger.js';
import { ed25519NoteSigner } from '../note-signer.js';
import { NOW, ORIGIN, type TestHome, testHome } from '../testing/open.js';
import { numbered, testKey } from '../testing/statements.js';
import { formatAddCheckpoint, parseAddCheckpoint } from './request.js';
import { createWitness, type RunningWitness } from './server.js';

const author = testKey();

let home: TestHome;
let ledger: Ledger;
let witness: RunningWitness;
let stateDir: string;

beforeEach(async () => {
  home = testHome();
  ledger = await home.open();
  stateDir = path.join(home.folder, 'witness');
  witness = await serve();
});

afterEach(async () => {
  await witness.close();
  await ledger.close();
  await home.remove();
});

function serve(logs: readonly string[] = [ledger.vkey]): Promise<RunningWitness> {
  const { witnessKey: privateKey } = home;
  const listen = { host: '127.0.0.1', port: 0 };
  const onFault = (error: unknown): void => {
    throw error;
  };
  return createWitness({ stateDir, logs: logs.map(parseVkey), name: 'witness.example', privateKey, listen, now: () => NOW, onFault });
}

async function grow(count: number): Promise<void> {
  const begin = await ledger.size();
  for (let n = begin; n < begin + count; n += 1) await ledger.append([numbered(author, n)]);
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

async function post(body: string): Promise<Answer> {
  const response = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

/** Asks for a cosignature of the log as it is, from a size that the witness is said to have seen. */
async function ask(oldSize: number, change: { readonly proof?: readonly Uint8Array[]; readonly note?: string } = {}): Promise<Answer> {
  const size = await ledger.size();
  const proof = change.proof ?? (oldSize === 0 || oldSize >= size ? [] : await ledger.consistencyProof(oldSize, size));
  return await post(formatAddCheckpoint({ oldSize, proof, note: change.note ?? (await ledger.checkpointNote()) }));
}

describe('add-checkpoint', () => {
  it('cosigns a first checkpoint, one that grew from it, and the same again (200)', async () => {
    await grow(3);
    const first = await ask(0);
    expect(first.status).toBe(200);
    expect(verifyCosignatures(`${await ledger.checkpointNote()}${first.body}`, [parseVkey(witness.vkey)]).length).toBe(1);
    await grow(2);
    expect((await ask(3)).status).toBe(200);
    expect((await ask(5)).status).toBe(200);
  });

  it('says which size it has seen when the request begins at another (409), and keeps it over a restart', async () => {
    await grow(3);
    await ask(0);
    await grow(1);
    const conflict = { status: 409, type: 'text/x.tlog.size', body: '3\n' };
    expect(await ask(0)).toEqual(conflict);
    expect(await ask(2)).toEqual(conflict);
    await witness.close();
    witness = await serve();
    expect(await ask(0)).toEqual(conflict);
    expect((await ask(3)).status).toBe(200);
  });

  it('refuses a proof that does not lead from what it saw to what it is shown (422)', async () => {
    await grow(3);
    await ask(0);
    await grow(2);
    const proof = (await ledger.consistencyProof(3, 5)).map((hash) => hash.map((byte) => byte ^ 1));
    expect((await ask(3, { proof })).status).toBe(422);
    expect(await ask(0)).toMatchObject({ status: 409, body: '3\n' });
  });

  it('refuses another history of the same size (409 or 422), whoever signs it', async () => {
    await grow(3);
    await ask(0);
    const other = await home.openAt({ file: path.join(home.folder, 'other.sqlite') });
    for (const n of [7, 8, 9]) await other.append([numbered(author, n)]);
    const answer = await ask(3, { proof: [], note: await other.checkpointNote() });
    await other.close();
    expect([409, 422]).toContain(answer.status);
  });

  it('refuses a checkpoint that the log did not sign (403), and one of a log that it does not know (404)', async () => {
    await grow(1);
    const note = await ledger.checkpointNote();
    const [, signature = ''] = /— \S+ (\S+)/.exec(note) ?? [];
    const bytes = Buffer.from(signature, 'base64');
    bytes[20]! ^= 1;
    expect((await ask(0, { note: note.replace(signature, bytes.toString('base64')) })).status).toBe(403);
    expect((await ask(0, { note: note.replaceAll('lane.example', 'land.example') })).status).toBe(404);
  });

  it('knows a log by either of two keys, while it replaces one by the other, and remembers one history', async () => {
    await witness.close();
    const next = ed25519NoteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
    witness = await serve([ledger.vkey, next.vkey]);
    await grow(2);
    const [text = ''] = (await ledger.checkpointNote()).split('\n\n');
    const byNext = `${text}\n\n${next.sign(`${text}\n`)}`;
    expect((await ask(0)).status).toBe(200);
    expect((await ask(2, { note: byNext })).status).toBe(200);
    expect((await ask(0, { note: byNext })).status).toBe(409);
    await witness.close();
    witness = await serve([next.vkey]);
    expect((await ask(2)).status).toBe(403);
    expect((await ask(2, { note: byNext })).status).toBe(200);
  });

  it.each(['', 'old 0\n', 'old -1\n\nnote', 'old 1\nAAAA\n\nnote', 'older 0\n\nnote'])('refuses %j (400)', async (body) => {
    expect((await post(body)).status).toBe(400);
  });

  it('answers requests that come at once one after the other', async () => {
    await grow(4);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(0)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBe(1);
    expect(statuses.filter((status) => status === 409).length).toBe(7);
  });

  it('takes no body without end (413) and no other method (405)', async () => {
    expect((await post('x'.repeat(200_000))).status).toBe(413);
    expect((await fetch(`${witness.url}/add-checkpoint`)).status).toBe(405);
    expect((await fetch(`${witness.url}/elsewhere`)).status).toBe(404);
  });
});

describe('its state', () => {
  it('is served by one process at a time', async () => {
    await expect(serve()).rejects.toMatchObject({ code: 'WITNESS_BUSY' });
  });

  it('that was damaged is not served: a witness that forgot would cosign a fork', async () => {
    await grow(2);
    await ask(0);
    await witness.close();
    const names = readdirSync(stateDir).filter((name) => name !== 'lock');
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const file = path.join(stateDir, name);
      writeFileSync(file, readFileSync(file).subarray(0, 10));
    }
    await expect(serve()).rejects.toMatchObject({ code: 'LEDGER_UNREADABLE' });
    for (const name of names) writeFileSync(path.join(stateDir, name), '');
    await expect(serve()).rejects.toMatchObject({ code: 'LEDGER_UNREADABLE' });
    stateDir = path.join(home.folder, 'fresh');
    witness = await serve();
  });
});

it('reads requests and nothing else', () => {
  const body = formatAddCheckpoint({ oldSize: 3, proof: [new Uint8Array(32), new Uint8Array(32).fill(7)], note: 'a\n5\nb\n\nc' });
  tryParser({
    parse: (bytes) => parseAddCheckpoint(Buffer.from(bytes).toString('latin1')),
    write: (request) => Buffer.from(formatAddCheckpoint(request), 'latin1'),
    samples: [body],
    codes: /^WITNESS_REQUEST$/,
  });
});
