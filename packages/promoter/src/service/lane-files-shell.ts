/** Files of the lane over HTTP: whole, or one range of one. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isNotFound } from '../disk-shell.js';
import { maxAgeSeconds } from './lane-path.js';
import { send } from './send.js';

/**
 * What is in a lane came from others, a report or a layer whatever somebody wrote: no browser may guess that it is a page, which would speak for its reader
 * to the pages and the API that are served beside it.
 */
const AS_DATA = { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' };

/** Answers with the file `file` of the lane in the folder `lane`; 404 when it is not there. */
export async function sendLaneFile(lane: string, file: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const full = path.join(lane, file);
  const found = await sizeOf(full);
  if (found === undefined) return void send(response, 404, '');
  const range = byteRange(request.headers.range, found);
  if (range === 'unsatisfiable') return void send(response, 416, '');
  const { begin, end } = range ?? { begin: 0, end: found - 1 };
  const age = maxAgeSeconds(file);
  response.writeHead(range === undefined ? 200 : 206, {
    'content-length': found === 0 ? 0 : end - begin + 1,
    ...AS_DATA,
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
