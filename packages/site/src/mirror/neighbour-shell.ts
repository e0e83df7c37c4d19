/**
 * The mirror as an upstream of other sites: the files of a lane over mutual TLS. Who shows no certificate of the neighbours' authority gets no answer.
 *
 * Blobs are hashed before they leave. Metadata and log are handed out as they lie here: they are signed, and a neighbour judges them by itself. What fills
 * the mirror is believed by nobody, and who serves it is root here: what does not lie in the mirror itself is not there, whatever leads to it.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import path from 'node:path';
import { digestFromHex } from '@sealane/core';
import { isNodeError } from '../disk.js';
import { readMutualTls } from '../fetch/routes/place-tls.js';
import type { MutualTls } from '../fetch/routes/place.js';
import { boundEachNeighbour, holdsAt, nameOf } from './known-neighbours.js';
import type { Relay } from './relay-shell.js';
import { renewedContext } from './renewed-context.js';
import { rangeOf } from './registry-request.js';
import { sendBytes } from './send-bytes.js';
import { addressOf, CONNECTION_LIMITS, limitConnections, listen, oneAtATime } from './server-limits-shell.js';
import { type VerifiedFile, verifiedFiles } from './verified-file.js';

/** A file of trust or log is smaller; its size is read before a byte is sent. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Who shows no certificate in this time is let go: anybody may connect, and connections are counted. In milliseconds. */
const HANDSHAKE_MS = 10_000;

/** Paths of a lane that sites ask for; no dot begins a name, so none leads up. */
const LANE_PATH = /^\/((?:trust|log)(?:\/[A-Za-z0-9%_-][A-Za-z0-9%._-]{0,254}){1,8}|content\/blobs\/sha256\/[0-9a-f]{64})$/;

export interface NeighbourOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: MutualTls;
  /** The folder of the mirror. */
  readonly mirror: string;
  /** The time, RFC 3339: as TLS has it, that of the host. */
  readonly now: () => string;
  /** Takes what neighbours hand up. */
  readonly relay: Relay;
  readonly talk: (line: string) => void;
}

/** A server for neighbours. */
export interface NeighbourServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts serving. @throws SiteError `CONFIG_INVALID` a file of `tls` cannot be read */
export async function serveNeighbours({ host, port, tls, mirror, now, relay, talk }: NeighbourOptions): Promise<NeighbourServer> {
  const openBlob = verifiedFiles({ blobPath: (digest) => path.join(mirror, 'content', 'blobs', 'sha256', digest.slice('sha256:'.length)) });
  const server = createServer(
    { ...CONNECTION_LIMITS, handshakeTimeout: HANDSHAKE_MS, ...readMutualTls(tls), requestCert: true, rejectUnauthorized: true },
    oneAtATime((request, response) => {
      if (!holdsAt(request.socket, now())) return void request.socket.destroy();
      const answered =
        request.method === 'POST' ? relay(request, response, nameOf(request.socket)) : answer(request, response, mirror, openBlob);
      answered.catch((error: unknown) => {
        talk(`neighbours: ${request.url ?? ''}: ${error instanceof Error ? error.message : String(error)}`);
        if (response.headersSent) response.destroy();
        else response.writeHead(500, { 'content-length': 0 }).end();
      });
    }),
  );
  renewedContext(server, tls, talk);
  limitConnections(server);
  boundEachNeighbour(server);
  await listen(server, host, port);
  return {
    url: `https://${addressOf(server, host)}`,
    close: async () => {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await ended;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  mirror: string,
  openBlob: ReturnType<typeof verifiedFiles>,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return void response.writeHead(405, { allow: 'GET, HEAD', 'content-length': 0 }).end();
  const [, file] = LANE_PATH.exec(request.url ?? '') ?? [];
  const found = file === undefined ? undefined : await openLaneFile(mirror, file, openBlob);
  if (found === undefined) return void response.writeHead(404, { 'content-length': 0 }).end();
  try {
    await send(request, response, found);
  } finally {
    await found.handle.close();
  }
}

async function openLaneFile(mirror: string, file: string, openBlob: ReturnType<typeof verifiedFiles>): Promise<VerifiedFile | undefined> {
  const [, hex] = /^content\/blobs\/sha256\/([0-9a-f]{64})$/.exec(file) ?? [];
  return hex === undefined ? await openPlain(mirror, file) : await openBlob(digestFromHex(hex));
}

/** A regular file of the mirror that no link leads to. */
async function openPlain(mirror: string, file: string): Promise<VerifiedFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path.join(mirror, file), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return undefined;
    throw error;
  }
  let isGood = false;
  try {
    const status = await handle.stat();
    const { size } = status;
    isGood = status.isFile() && size <= MAX_FILE_BYTES && (await liesAt(handle, path.join(await realpath(mirror), file)));
    return isGood ? { handle, size } : undefined;
  } finally {
    if (!isGood) await handle.close();
  }
}

/** Where an open file is, by the kernel's word (proc(5)): whoever swaps a folder for a link before or after it was opened changes nothing of it. */
async function liesAt({ fd }: FileHandle, place: string): Promise<boolean> {
  return (await readlink(`/proc/self/fd/${fd}`)) === place;
}

async function send(request: IncomingMessage, response: ServerResponse, { handle, size }: VerifiedFile): Promise<void> {
  const range = rangeOf(request.headers.range, size);
  if (range === 'unsatisfiable') return void response.writeHead(416, { 'content-range': `bytes */${size}`, 'content-length': 0 }).end();
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  if (request.method === 'HEAD' || end < start) return void response.end();
  await sendBytes(handle, { start, end }, response);
}
