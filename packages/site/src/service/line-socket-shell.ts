/** Unix sockets on which one line is asked and one line answered: the listening and the asking side. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { boundedLines } from '../apply/bounded-lines.js';
import { isNodeError } from '../disk.js';

/** Where a service listens: a socket that systemd opened (its descriptor), or a path of its own (mode 0600). */
export type Listening = { readonly fd: number } | { readonly path: string };

/** Answers one line; `gone` aborts when whoever asked hangs up. What it throws ends the connection without an answer. */
export type Answerer = (line: Uint8Array, gone: AbortSignal) => Promise<object>;

/** What a connection may be used for. */
export interface LineLimits {
  readonly maxRequestBytes: number;
  /** Connections at once: more are closed. */
  readonly maxConnections: number;
  /** Time to send the request in, all of it; and after the answer, time in which none of it is taken. */
  readonly requestMs: number;
}

/** Listens until `close`. A connection asks once, and ends with its answer: one that stays would stand in another's way. */
export async function listenForLines(at: Listening, limits: LineLimits, answer: Answerer, talk: (line: string) => void): Promise<Server> {
  const server = createServer((socket) => void serveOne(socket, limits, answer, talk));
  server.maxConnections = limits.maxConnections;
  if ('path' in at) rmSync(at.path, { force: true });
  // the socket is bound before `listen` returns, and never for a moment open to others
  const umask = process.umask(0o177);
  server.listen('path' in at ? { path: at.path } : { fd: at.fd });
  process.umask(umask);
  await once(server, 'listening');
  return server;
}

/**
 * Asks one line and returns the answer's; undefined when the other side ends without one. `signal` breaks off.
 *
 * @throws Node's error when nobody listens or the socket may not be used; SiteError when the answer is longer than `maxBytes`
 */
export async function askLine(path: string, request: object, maxBytes: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const socket = connect({ path });
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await once(socket, 'connect', { signal });
    // a side that went away shows as a missing answer
    socket.on('error', () => undefined);
    socket.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await boundedLines(socket, maxBytes).next();
    return done === true ? undefined : value;
  } catch (error) {
    if (isNodeError(error, 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE')) return undefined;
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

async function serveOne(
  socket: Socket,
  { maxRequestBytes, requestMs }: LineLimits,
  answer: Answerer,
  talk: (line: string) => void,
): Promise<void> {
  const gone = new AbortController();
  socket.on('error', () => gone.abort());
  socket.on('close', () => gone.abort());
  const late = setTimeout(() => socket.destroy(), requestMs);
  try {
    const lines = boundedLines(socket.iterator({ destroyOnReturn: false }), maxRequestBytes);
    const { value, done } = await lines.next();
    clearTimeout(late);
    if (done === true) return void socket.destroy();
    // reading on is what shows that the other side hung up
    socket.resume();
    const text = `${JSON.stringify(await answer(value, gone.signal))}\n`;
    socket.setTimeout(requestMs, () => socket.destroy());
    socket.end(text, () => socket.destroy());
  } catch (error) {
    clearTimeout(late);
    talk(error instanceof Error ? error.message : String(error));
    socket.destroy();
  }
}
