/** The witness as an HTTP server with a folder of its own: it persists before it answers, one request at a time. */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { cosign, hex, LedgerError, sha256Raw, utf8, type Vkey } from '@sealane/core';
import { durableWrite } from '../durable-write.js';
import { step, type WitnessState } from './witness.js';

/** A request is a proof of 63 lines and a checkpoint: 64 KiB is many times that. */
const MAX_BODY_BYTES = 64 * 1024;
/** A client that sends slower than this is not a promoter. In milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface WitnessOptions {
  readonly folder: string;
  readonly log: Vkey;
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly host: string;
  readonly port: number;
  /** Seconds since 1970. */
  readonly nowSeconds: () => number;
}

/** Starts serving; resolves with the address. `close` ends it. */
export async function serveWitness(options: WitnessOptions): Promise<{ readonly url: string; close(): Promise<void> }> {
  const file = path.join(options.folder, `${hex(sha256Raw(utf8(options.log.name)))}.json`);
  const remember = { state: readState(file), note: '' };
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void respond(request, response, (body) => answer(options, file, remember, body), remember);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${options.host}:${port}`, close };
}

interface Memory {
  state: WitnessState | undefined;
  note: string;
}

/** Synchronous from check to persist: no second request can come between. */
function answer(options: WitnessOptions, file: string, memory: Memory, body: string): { status: number; type?: string; body: string } {
  const judged = step(memory.state, body, options.log);
  if (judged.status === 409) return { status: 409, type: 'text/x.tlog.size', body: `${judged.size}\n` };
  if (judged.status !== 200) return judged;
  const line = cosign(options, judged.cosign.text, options.nowSeconds());
  durableWrite(file, utf8(JSON.stringify(judged.cosign.next)), 0o600);
  memory.state = judged.cosign.next;
  memory.note = judged.cosign.note + line;
  return { status: 200, body: line };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  addCheckpoint: (body: string) => { status: number; type?: string; body: string },
  memory: Memory,
): Promise<void> {
  try {
    const path = (request.url ?? '').replace(/^.*\//, '');
    if (request.method === 'GET' && path === 'checkpoint' && memory.note !== '') return send(response, { status: 200, body: memory.note });
    if (request.method !== 'POST' || path !== 'add-checkpoint') return send(response, { status: 404, body: 'not found\n' });
    const body = await readBody(request);
    return send(response, body === undefined ? { status: 400, body: 'too large\n' } : addCheckpoint(body));
  } catch (error) {
    // constant to the outside; the operator reads the reason on stderr
    process.stderr.write(`witness: ${error instanceof Error ? error.message : String(error)}\n`);
    return send(response, { status: 500, body: 'internal error\n' });
  }
}

function send(response: ServerResponse, { status, type, body }: { status: number; type?: string; body: string }): void {
  response.writeHead(status, { 'content-type': type ?? 'text/plain; charset=utf-8' });
  response.end(body);
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The remembered state. A damaged file stops the witness: forgetting would let a fork through.
 *
 * @throws LedgerError `LEDGER_UNREADABLE`
 */
function readState(file: string): WitnessState | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    // the first start: nothing was seen yet
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const state: unknown = parseOrUndefined(text);
  if (typeof state === 'object' && state !== null && 'size' in state && 'root' in state && typeof state.size === 'number' && typeof state.root === 'string') {
    return { size: state.size, root: state.root };
  }
  throw new LedgerError('LEDGER_UNREADABLE', `read the state of the witness ${file}: expected {size, root}, got something else`);
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // reported by the caller with the file's name
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
