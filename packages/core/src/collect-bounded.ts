/** What somebody else sends, read up to a bound: nobody can fill the memory of whoever asks. */
import { concatBytes } from './bytes.js';

/**
 * The whole of a stream of pieces, of at most `maxBytes` bytes.
 *
 * With the first piece beyond the bound the stream is given up (its iterator is told, which closes a connection) and what `tooMuch` makes is thrown; at no time is
 * more kept than the bound and one piece.
 */
export async function collectBounded(pieces: AsyncIterable<Uint8Array>, maxBytes: number, tooMuch: () => Error): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of pieces) {
    sizeBytes += piece.length;
    if (sizeBytes > maxBytes) throw tooMuch();
    kept.push(piece);
  }
  return concatBytes(...kept);
}
