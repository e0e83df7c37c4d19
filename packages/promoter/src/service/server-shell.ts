/** The promoter as a server: lane files out, receipts in. The outside gets constant errors, the operator the reasons. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ERRORS, SealaneError } from '@sealane/core';
import type { CommandIo } from '@sealane/core/command-line';
import { withPublishLock } from '@sealane/ledger';
import { isNotFound } from '../disk-shell.js';
import type { Home } from '../home.js';
import { addStatements } from '../log/statement-add.js';
import { openPromoter } from '../promoter.js';
import { lanePath, maxAgeSeconds } from './lane-path.js';

/** A batch of receipts with their inventories. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** A site on a poor link sends slowly, but not for ever. In milliseconds. */
const REQUEST_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 20_000;

export interface ServeOptions {
  readonly home: Home;
  readonly io: CommandIo;
  readonly host: string;
  readonly port: number;
}

/** Starts serving; resolves with the address. `close` stops taking requests and ends the open ones. */
export async function serveLane(options: ServeOptions): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS }, (request, response) => {
    respond(options, request, response).catch((error: unknown) => {
      options.io.talk(`sealane: ${request.method ?? ''} ${request.url ?? ''}: ${error instanceof Error ? error.message : String(error)}\n`);
      if (!response.headersSent) send(response, 500, 'internal error\n');
      else response.destroy();
    });
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

async function respond(options: ServeOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // a poll costs a site data: nothing is sent that it does not need
  response.sendDate = false;
  const { method = '', url = '' } = request;
  if (method === 'POST' && url === '/api/v1/receipts') return void (await takeReceipts(options, request, response));
  if (method !== 'GET' && method !== 'HEAD') return void send(response, 405, 'method not allowed\n');
  if (url === '/healthz') return void send(response, 200, 'ok\n');
  const file = lanePath(url);
  if (file === undefined) return void send(response, 404, '');
  return void (await sendFile(options.home, file, request, response));
}

async function sendFile(home: Home, file: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const full = path.join(home.lane, file);
  const found = await sizeOf(full);
  if (found === undefined) return void send(response, 404, '');
  const range = byteRange(request.headers.range, found);
  if (range === 'unsatisfiable') return void send(response, 416, '');
  const { begin, end } = range ?? { begin: 0, end: found - 1 };
  const age = maxAgeSeconds(file);
  response.writeHead(range === undefined ? 200 : 206, {
    'content-length': found === 0 ? 0 : end - begin + 1,
    ...(age === 0 ? { 'cache-control': 'no-cache' } : { 'cache-control': `max-age=${age},immutable` }),
    ...(range === undefined ? {} : { 'content-range': `bytes ${begin}-${end}/${found}` }),
  });
  if (request.method === 'HEAD' || found === 0) return void response.end();
  await pipeline(createReadStream(full, { start: begin, end }), response);
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    const found = await stat(file);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** One range of RFC 9110, section 14.1.2, for resuming; others are answered whole. */
function byteRange(
  header: string | undefined,
  size: number,
): { readonly begin: number; readonly end: number } | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined) return undefined;
  const begin = Number(first);
  const end = last === undefined || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return begin > end ? 'unsatisfiable' : { begin, end };
}

/** Receipts are logged under the publish lock; a receipt that is there already is a success, so a site may send it again. */
async function takeReceipts({ home, io }: ServeOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) return void send(response, 413, 'too large\n');
  try {
    const logged = await withPublishLock(home.lock, async () => {
      const promoter = await openPromoter(home, io);
      try {
        return await addStatements(promoter, body, 'posted receipts');
      } finally {
        await promoter.ledger.close();
      }
    });
    return void send(response, 201, JSON.stringify({ statements: logged }));
  } catch (error) {
    if (!(error instanceof SealaneError) || ERRORS[error.code].exit === 1) throw error;
    io.talk(`sealane: refused a receipt: ${error.message} (${error.code})\n`);
    return void send(response, ERRORS[error.code].exit === 5 || ERRORS[error.code].exit === 6 ? 503 : 400, 'refused\n');
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
