/** The mirror as a registry: OCI distribution, read-only, on loopback. Engines pull by digest from it with the WAN cut. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Digest } from '@sealane/core';
import { type Descriptor, type Layout, manifestKind } from '@sealane/oci';
import { rangeOf, type Refusal, registryRequest } from './registry-request.js';
import { sendBytes } from './send-bytes.js';
import type { ServedContent } from './served-content.js';
import { addressOf, CONNECTION_LIMITS, limitConnections, listen, oneAtATime } from './server-limits-shell.js';
import { type VerifiedFile, verifiedFiles } from './verified-file.js';

export interface MirrorOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly store: Layout;
  /** What may be served at this moment. */
  readonly content: () => ServedContent;
  /** A line for people: faults, and blobs that are not what their name says. */
  readonly talk: (line: string) => void;
}

/** A registry that answers. */
export interface RunningMirror {
  /** `HOST:PORT`, as an engine's configuration names it. */
  readonly address: string;
  /** Takes no more requests and cuts off those that are open. */
  close(): Promise<void>;
}

/** Starts serving; resolves when requests are answered. */
export async function serveMirror({ host, port, store, content, talk }: MirrorOptions): Promise<RunningMirror> {
  const openFile = verifiedFiles(store);
  const server = createServer(
    CONNECTION_LIMITS,
    oneAtATime((request, response) => {
      answer(request, response, { openFile, content, talk }).catch((error: unknown) => {
        talk(`mirror: ${request.method ?? ''} ${request.url ?? ''}: ${error instanceof Error ? error.message : String(error)}`);
        // half an answer cannot be taken back: the engine sees that it ended early
        if (response.headersSent) response.destroy();
        else sendError(response, 500, 'UNKNOWN', 'the mirror could not read this');
      });
    }),
  );
  limitConnections(server);
  await listen(server, host, port);
  return {
    address: addressOf(server, host),
    close: async () => {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await ended;
    },
  };
}

interface Around {
  readonly openFile: (digest: Digest) => Promise<VerifiedFile | undefined>;
  readonly content: () => ServedContent;
  readonly talk: (line: string) => void;
}

async function answer(request: IncomingMessage, response: ServerResponse, around: Around): Promise<void> {
  // what a caller sends besides is never read
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
    response.shouldKeepAlive = false;
  const asked = registryRequest(request.method ?? '', request.url ?? '');
  if (asked.is === 'refused') return void sendError(response, asked.status, asked.code, asked.message);
  if (asked.is === 'version') return void sendJson(response, 200, '{}');
  const code = asked.is === 'manifest' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN';
  const descriptor = around.content().get(asked.digest);
  const isFit = descriptor !== undefined && (asked.is === 'blob' || manifestKind(descriptor.mediaType) !== undefined);
  if (!isFit) return void sendError(response, 404, code, 'not a part of a release that was admitted here');
  const file = await around.openFile(asked.digest);
  if (file === undefined) {
    around.talk(`not served: ${asked.digest}: the store has it no more, or other bytes`);
    return void sendError(response, 404, code, 'not in the store');
  }
  try {
    await sendFile(request, response, file, descriptor, asked.is === 'manifest' ? descriptor.mediaType : 'application/octet-stream');
  } finally {
    await file.handle.close();
  }
}

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { handle, size }: VerifiedFile,
  { digest }: Descriptor,
  type: string,
): Promise<void> {
  const headers = { 'content-type': type, 'docker-content-digest': digest, etag: `"${digest}"`, 'accept-ranges': 'bytes' };
  const range = rangeOf(request.headers.range, size);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${size}`, 'content-length': 0 }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const length = { 'content-length': end - start + 1 };
  if (range === undefined) response.writeHead(200, { ...headers, ...length });
  else response.writeHead(206, { ...headers, ...length, 'content-range': `bytes ${start}-${end}/${size}` });
  if (request.method === 'HEAD' || end < start) {
    response.end();
    return;
  }
  await sendBytes(handle, { start, end }, response);
}

function sendError(response: ServerResponse, status: Refusal['status'] | 500, code: Refusal['code'] | 'UNKNOWN', message: string): void {
  sendJson(response, status, JSON.stringify({ errors: [{ code, message }] }));
}

function sendJson(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'docker-distribution-api-version': 'registry/2.0',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  // a HEAD has no body: node drops it
  response.end(text);
}
