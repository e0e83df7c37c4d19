/** A witness as an HTTP server with a folder of its own: it persists before it answers, one request at a time. */
import type { KeyObject } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import path from 'node:path';
import { cosign, formatVkey, fromUtf8, LedgerError, listenHint, NOTE_KEY_TYPE, SealaneError, type Vkey, vkeyOf } from '@sealane/core';
import { holdLock } from '../store/publish-lock.js';
import { judgeRequest } from './judge.js';
import { MAX_REQUEST_BYTES } from './request.js';
import { openWitnessState, type WitnessState } from './state.js';

/** A log sends a few kilobytes at once; whoever takes longer holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often connections are looked over for that. */
const CONNECTION_CHECK_MS = 1_000;
/** A witness serves a handful of logs: more connections than this are an attack on its memory. */
const MAX_CONNECTIONS = 256;

/** How to run a witness. */
export interface WitnessOptions {
  /** Folder of its state, made when missing. One process serves it. */
  readonly stateDir: string;
  /** The logs it cosigns for, by their keys. */
  readonly logs: readonly Vkey[];
  /** Its name in signature lines. */
  readonly name: string;
  /** Its own Ed25519 key, used for nothing else. */
  readonly privateKey: KeyObject;
  readonly listen: { readonly host: string; readonly port: number };
  /** The wall clock, RFC 3339 UTC: the time in its cosignatures. */
  readonly now: () => string;
  /** Told about faults that are ours, such as a full disk; the requester is told nothing but 500. */
  readonly onFault: (error: unknown) => void;
}

/** A running witness. */
export interface RunningWitness {
  readonly url: string;
  /** Its verifier key (type 4). */
  readonly vkey: string;
  /** Resolves when no request is open any more and the state is released. */
  close(): Promise<void>;
}

/**
 * Starts a witness.
 *
 * @throws LedgerError `WITNESS_BUSY` another process serves this state; `LEDGER_UNREADABLE` the state is damaged or cannot be made; `USAGE` the
 *   address cannot be listened on
 */
export async function createWitness(options: WitnessOptions): Promise<RunningWitness> {
  const { stateDir, logs, name, privateKey } = options;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const lock = holdLock(path.join(stateDir, 'lock'));
  if (lock === undefined)
    throw new LedgerError('WITNESS_BUSY', `serve witness state ${stateDir}: expected to be the only one, another process holds it`, {
      stateDir,
    });
  try {
    const vkey = vkeyOf(name, NOTE_KEY_TYPE.cosignature, privateKey);
    const witness = { options, state: openWitnessState(stateDir, logs, vkey) };
    // most who load this package serve nothing
    const { createServer } = await import('node:http');
    const server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: CONNECTION_CHECK_MS },
      (request, response) => {
        void respond(witness, request, response);
      },
    );
    server.maxConnections = MAX_CONNECTIONS;
    const url = await listen(server, options.listen);
    return {
      url,
      vkey: formatVkey(vkey),
      close: () =>
        close(server).finally(() => {
          lock.close();
        }),
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

interface Witness {
  readonly options: WitnessOptions;
  readonly state: WitnessState;
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

async function respond(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let answer: Answer;
  try {
    answer = await answerTo(witness, request);
  } catch (error) {
    witness.options.onFault(error);
    answer = { status: 500, body: 'internal error\n' };
  }
  // a body that was not read to its end would be taken for the next request
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(answer.status, { 'content-type': answer.type ?? 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(answer.body);
}

async function answerTo(witness: Witness, request: IncomingMessage): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'http://witness.invalid');
  if (pathname === '/add-checkpoint') {
    if (request.method !== 'POST') return { status: 405, body: 'only POST\n' };
    const body = await readBody(request);
    return body === undefined ? { status: 413, body: 'too large\n' } : addCheckpoint(witness, body);
  }
  const [, hash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(pathname) ?? [];
  const cosigned = hash === undefined ? undefined : witness.state.byOriginHash(hash);
  if (cosigned === undefined) return { status: 404, body: 'not found\n' };
  return request.method === 'GET' || request.method === 'HEAD' ? { status: 200, body: cosigned.note } : { status: 405, body: 'only GET\n' };
}

/** Synchronous from the check to the disk: no other request can come between. */
function addCheckpoint({ options, state }: Witness, bytes: Uint8Array): Answer {
  const body = textOf(bytes);
  if (body === undefined) return { status: 400, body: 'malformed request\n' };
  const judged = judgeRequest(body, options.logs, (log) => state.get(log));
  if (judged.status === 409) return { status: 409, type: 'text/x.tlog.size', body: `${judged.size}\n` };
  if (judged.status !== 200) return { status: judged.status, body: `${judged.why}\n` };
  const line = cosign(options, judged.checkpoint.text, Math.floor(Date.parse(options.now()) / 1000));
  // C2SP tlog-witness: the new checkpoint is persisted before the answer
  state.remember(judged.log, judged.note + line);
  return { status: 200, body: line };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes);
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

/** The body, or undefined when it is longer than any request can be. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_REQUEST_BYTES) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) continue;
    size += chunk.length;
    if (size > MAX_REQUEST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function listen(server: Server, { host, port }: WitnessOptions['listen']): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new LedgerError(
          'USAGE',
          `listen on ${host}:${port}: ${cause.message}`,
          { host, port },
          { cause, hint: listenHint(cause, '--listen') },
        ),
      );
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

/** Lets requests that are being answered end, and cuts idle connections. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  await closed;
}
