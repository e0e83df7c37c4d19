/**
 * The web client of `fetch`: one connection to one place, and an end to every wait. Redirects are not followed.
 *
 * Node's own HTTP and not undici, which compiles its parser anew in each process: that was half of the processor time of a poll.
 */
import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { SiteError } from '@sealane/core';
import type { ShownTls } from './routes/place-tls.js';
import { tunnelAgent } from './tunnel-shell.js';

/** Time for a connection, for the first byte of an answer, and between two pieces of one. A satellite link takes 2 s for a connection. */
const CONNECT_TIMEOUT_MS = 10_000;
export const ANSWER_TIMEOUT_MS = 30_000;
const PIECE_TIMEOUT_MS = 10_000;

/** An answer that is not wanted is read up to here, so that the connection can be used again. */
const MAX_DRAINED_BYTES = 16 * 1024;

/** What is asked beside an address. */
export interface WebQuestion {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
}

/** An answer, whose pieces can be read once; when they are left early the connection is given up. */
export interface WebAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  /** From the question, on a connection that was there, to the first byte. */
  readonly firstByteMs: number;
  readonly pieces: AsyncGenerator<Uint8Array, void, undefined>;
}

/** A client of one place. */
export interface WebClient {
  /** Throws Node's error when the place cannot be reached or breaks off, also while the pieces are read. */
  ask(address: string, question: WebQuestion): Promise<WebAnswer>;
  /** Bytes on the wire so far, in both directions. */
  bytes(): number;
  close(): void;
}

/** Opens a client, to an https address through `proxy`; a poll is two small requests one after the other, and a second handshake would double what it costs. */
export function webClient(tls: ShownTls | null, proxy: string | null): WebClient {
  const sockets = new Set<Socket>();
  const options = { keepAlive: true, maxSockets: 1 };
  const plain = new Agent(options);
  const secure = proxy === null ? new TlsAgent({ ...options, ...tls }) : tunnelAgent(proxy, CONNECT_TIMEOUT_MS, { ...options, ...tls });
  const send = (address: string, question: WebQuestion, onOpen: () => void): ClientRequest => {
    const { method = 'GET', headers = {}, body, signal } = question;
    const options: RequestOptions = { method, headers, signal };
    const isTls = address.startsWith('https:');
    const sent = isTls ? tlsRequest(address, { ...options, agent: secure }) : request(address, { ...options, agent: plain });
    sent.once('socket', (socket) => {
      sockets.add(socket);
      const open = (): void => {
        onOpen();
        endIfSilent(sent);
      };
      if (sent.reusedSocket) return open();
      const late = setTimeout(() => sent.destroy(new Error(`no connection in ${CONNECT_TIMEOUT_MS} ms`)), CONNECT_TIMEOUT_MS);
      sent.once('close', () => clearTimeout(late));
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        clearTimeout(late);
        open();
      });
    });
    sent.end(body);
    return sent;
  };
  const ask = async (address: string, question: WebQuestion): Promise<WebAnswer> => {
    let openedMs = performance.now();
    const sent = send(address, question, () => {
      openedMs = performance.now();
    });
    try {
      const answer = await answerTo(sent);
      return { ...answer, firstByteMs: performance.now() - openedMs };
    } catch (error) {
      // the server closed an idle connection just when it was used again: nothing was answered, and reading twice changes nothing
      if (!sent.reusedSocket || question.body !== undefined || !isReset(error) || question.signal.aborted) throw error;
      return await ask(address, question);
    }
  };
  return {
    ask,
    bytes: () => [...sockets].reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0),
    close: () => {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Reads what is left of an answer that nobody wants. */
export async function drain({ pieces }: WebAnswer): Promise<void> {
  let seenBytes = 0;
  for await (const { length } of pieces) {
    seenBytes += length;
    if (seenBytes > MAX_DRAINED_BYTES) return;
  }
}

/**
 * An answer as text.
 *
 * @throws SiteError `FETCH_FAILED` it is longer than `maxBytes`
 */
export async function readText({ pieces }: WebAnswer, maxBytes: number): Promise<string> {
  const read: Uint8Array[] = [];
  let seenBytes = 0;
  for await (const piece of pieces) {
    seenBytes += piece.length;
    if (seenBytes > maxBytes) throw new SiteError('FETCH_FAILED', `read an answer: expected at most ${maxBytes} bytes, got more`);
    read.push(piece);
  }
  return Buffer.concat(read).toString('utf8');
}

/** The answer's beginning has an end too. */
function endIfSilent(sent: ClientRequest): void {
  const late = setTimeout(() => sent.destroy(new Error(`no answer in ${ANSWER_TIMEOUT_MS} ms`)), ANSWER_TIMEOUT_MS);
  for (const over of ['response', 'close']) sent.once(over, () => clearTimeout(late));
}

function answerTo(sent: ClientRequest): Promise<Omit<WebAnswer, 'firstByteMs'>> {
  return new Promise((resolve, reject) => {
    // what breaks later shows in the pieces
    sent.on('error', reject);
    sent.once('response', (answer) =>
      resolve({ statusCode: answer.statusCode ?? 0, headers: answer.headers, pieces: piecesOf(sent, answer) }),
    );
  });
}

/** A wait is one for bytes: a reader that takes its time is none. */
async function* piecesOf(sent: ClientRequest, answer: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = answer[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  try {
    for (;;) {
      const late = setTimeout(() => answer.destroy(new Error(`nothing more in ${PIECE_TIMEOUT_MS} ms`)), PIECE_TIMEOUT_MS);
      const step = await pieces.next().finally(() => clearTimeout(late));
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    if (!answer.readableEnded) sent.destroy();
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
