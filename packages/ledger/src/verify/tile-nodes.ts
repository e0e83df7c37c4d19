/** The tree inside one tile: its 256 hashes, and every node above them up to its root, in one piece of memory that is used again for the next. */
import { hash } from 'node:crypto';
import { nodeHash, TILE_HEIGHT, TILE_WIDTH } from '@sealane/core';

const HASH_BYTES = 32;
/** 0x01 || left || right (RFC 9162, section 2.1.1). */
const NODE = Buffer.alloc(1 + 2 * HASH_BYTES, 0x01);

/** Where the nodes of each level begin: 256 hashes, then 128, and so on up to the root. */
const LEVEL_AT = Array.from({ length: TILE_HEIGHT + 1 }, (_, level) => (2 * TILE_WIDTH - (2 * TILE_WIDTH) / 2 ** level) * HASH_BYTES);

/** State of one walk. A class, because it is filled again and again. */
export class TileNodes {
  readonly #bytes = Buffer.alloc(2 * TILE_WIDTH * HASH_BYTES);

  /** Puts in the hash of a leaf, one character a byte. */
  put(at: number, binary: string): void {
    putBinary(binary, this.#bytes, at * HASH_BYTES);
  }

  /** Makes each node that is over whole pairs of the first `count` hashes. */
  fold(count: number): void {
    for (let level = 0, width = count; width > 1; level += 1, width >>= 1) {
      const [from, to] = [LEVEL_AT[level] ?? 0, LEVEL_AT[level + 1] ?? 0];
      for (let at = 0; at < width >> 1; at += 1) {
        this.#bytes.copy(NODE, 1, from + 2 * at * HASH_BYTES, from + 2 * (at + 1) * HASH_BYTES);
        putBinary(hash('sha256', NODE, 'binary'), this.#bytes, to + at * HASH_BYTES);
      }
    }
  }

  /** The bytes of the full tile, until the next `put`. */
  get data(): Uint8Array {
    return this.#bytes.subarray(0, TILE_WIDTH * HASH_BYTES);
  }

  /** Root of the first `count` hashes, 1 to 256 of them, that were folded: the nodes over its whole subtrees, folded from the right. */
  root(count: number): Uint8Array {
    let root: Uint8Array | undefined;
    for (let level = 0; count >> level > 0; level += 1) {
      if (((count >> level) & 1) === 0) continue;
      const at = (LEVEL_AT[level] ?? 0) + ((count >> level) - 1) * HASH_BYTES;
      const node = new Uint8Array(this.#bytes.subarray(at, at + HASH_BYTES));
      root = root === undefined ? node : nodeHash(node, root);
    }
    return root ?? new Uint8Array();
  }
}

function putBinary(binary: string, target: Buffer, at: number): void {
  for (let byte = 0; byte < HASH_BYTES; byte += 1) target[at + byte] = binary.charCodeAt(byte);
}
