/** Lines of a stream whose writer may be hostile: none longer than a bound is ever held. */
import { concatBytes, SiteError } from '@sealane/core';

const NEWLINE = 0x0a;

/**
 * The lines of a stream of bytes, without their newlines; an unfinished last line is left out.
 *
 * @throws SiteError `FETCH_FAILED` a line is longer than `maxBytes`
 */
export async function* boundedLines(stream: AsyncIterable<unknown>, maxBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let rest: Uint8Array = new Uint8Array();
  for await (const piece of stream) {
    if (!(piece instanceof Uint8Array)) continue;
    rest = concatBytes(rest, piece);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      if (end > maxBytes) break;
      yield rest.subarray(0, end);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > maxBytes)
      throw new SiteError('FETCH_FAILED', `read what fetch says: expected lines of at most ${maxBytes} bytes, got more`);
  }
}
