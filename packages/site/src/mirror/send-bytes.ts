/** Sends bytes of a file as the body of an answer, through two buffers that are used in turn: a stream takes new memory for each piece. */
import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { SiteError } from '@sealane/core';
import type { ByteRange } from './registry-request.js';

/** Each step wakes another thread to read: few large ones cost less (measured: 1.3 GB in 0.9 s of processor time, in pieces of 256 KiB 1.25 s, as a stream 1.6 s). */
const PIECE_BYTES = 1024 * 1024;

/**
 * Sends the range and ends the answer. Whoever hangs up has reasons: then it returns.
 *
 * @throws SiteError `CONTENT_LENGTH` the file ends before the range does; the answer is half sent then
 */
export async function sendBytes(handle: FileHandle, { start, end }: ByteRange, response: ServerResponse): Promise<void> {
  const hungUp = new Promise<'hung up'>((resolve) => response.once('close', () => resolve('hung up')));
  const turns = [newTurn(), newTurn()];
  let position = start;
  while (position <= end) {
    for (const turn of turns) {
      if (position > end) break;
      if ((await Promise.race([turn.sent, hungUp])) === 'hung up') return;
      const { bytesRead } = await handle.read(turn.buffer, 0, Math.min(PIECE_BYTES, end - position + 1), position);
      if (bytesRead === 0) throw new SiteError('CONTENT_LENGTH', `send a blob: expected ${end + 1} bytes, got ${position}`);
      position += bytesRead;
      turn.sent = written(response, turn.buffer.subarray(0, bytesRead));
    }
  }
  response.end();
}

interface Turn {
  readonly buffer: Buffer;
  /** Resolves when the buffer may be used again. */
  sent: Promise<void>;
}

function newTurn(): Turn {
  return { buffer: Buffer.allocUnsafeSlow(PIECE_BYTES), sent: Promise.resolve() };
}

/** A write that fails ends the connection, which is seen by that. */
function written(response: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => response.write(piece, () => resolve()));
}
