/** Entry bundles of a log's static tree (C2SP tlog-tiles): leaves, each after its length. Pure. */
import { concatBytes } from './bytes.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { TILE_WIDTH } from './tile-path.js';

/** The length before each leaf: 16 bits, big-endian. */
const LENGTH_BYTES = 2;

/** Writes a bundle of up to 256 leaves. @throws CoreError `TILE_MALFORMED` more of them, or a leaf longer than 16 bits can say */
export function encodeEntryBundle(leaves: readonly Uint8Array[]): Uint8Array {
  const tooLong = leaves.find((leaf) => leaf.length > LIMITS.logLeafBytes);
  if (leaves.length > TILE_WIDTH || tooLong !== undefined) {
    throw new CoreError(
      'TILE_MALFORMED',
      `write an entry bundle: expected at most ${TILE_WIDTH} leaves of ${LIMITS.logLeafBytes} bytes, got ${leaves.length}`,
    );
  }
  return concatBytes(...leaves.flatMap((leaf) => [new Uint8Array([leaf.length >> 8, leaf.length & 0xff]), leaf]));
}

/**
 * The leaves of a bundle of exactly `width` entries, as views of its bytes: nothing is copied, whatever lengths it claims.
 *
 * @throws CoreError `TILE_MALFORMED` cut off, or longer than its entries
 */
export function parseEntryBundle(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  const leaves: Uint8Array[] = [];
  let at = 0;
  while (leaves.length < width) {
    const [high, low] = [bytes[at], bytes[at + 1]];
    const begin = at + LENGTH_BYTES;
    const end = begin + (high ?? 0) * 256 + (low ?? 0);
    if (high === undefined || low === undefined || end > bytes.length) {
      throw new CoreError(
        'TILE_MALFORMED',
        `read an entry bundle: expected ${width} entries, got ${bytes.length} bytes that end in the ${leaves.length}th`,
      );
    }
    leaves.push(bytes.subarray(begin, end));
    at = end;
  }
  if (at !== bytes.length)
    throw new CoreError('TILE_MALFORMED', `read an entry bundle: expected ${at} bytes of ${width} entries, got ${bytes.length}`);
  return leaves;
}
