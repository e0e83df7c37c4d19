/**
 * The right edge of the tree: all that is needed to append and to know the root. Pure.
 *
 * It holds the hashes of the partial tile of each level, and the roots of the whole subtrees from left to right (a binary counter), so a leaf
 * costs about one hash and the root about log2(size).
 */
import { concatBytes, emptyRoot, nodeHash, TILE_HEIGHT, TILE_WIDTH } from '@sealane/core';

/** A tile that has just become full: 256 hashes, and the root over them. */
export interface FullTile {
  readonly level: number;
  readonly index: number;
  readonly root: Uint8Array;
  readonly data: Uint8Array;
}

interface Subtree {
  readonly level: number;
  readonly hash: Uint8Array;
}

/** State of an open log. A class, because appending changes it. */
export class RightEdge {
  #size: number;
  /** Hashes of the partial tile of each tile level, 0–255 of them. */
  readonly #partial: Uint8Array[][];
  /** Whole subtrees, largest first; levels are strictly falling. */
  readonly #subtrees: Subtree[];

  private constructor(size: number, partial: Uint8Array[][], subtrees: Subtree[]) {
    this.#size = size;
    this.#partial = partial;
    this.#subtrees = subtrees;
  }

  /** The edge of a tree of `size` entries, from the hashes of its partial tile at each level, lowest level first. */
  static of(size: number, partial: readonly (readonly Uint8Array[])[]): RightEdge {
    const edge = new RightEdge(
      size,
      partial.map((hashes) => [...hashes]),
      [],
    );
    for (let level = partial.length - 1; level >= 0; level -= 1) {
      for (const hash of partial[level] ?? []) edge.#push({ level: level * TILE_HEIGHT, hash });
    }
    return edge;
  }

  /** The edge of the empty tree. */
  static empty(): RightEdge {
    return new RightEdge(0, [], []);
  }

  /** A copy that can be appended to and thrown away when the commit fails. */
  copy(): RightEdge {
    return new RightEdge(
      this.#size,
      this.#partial.map((hashes) => [...hashes]),
      [...this.#subtrees],
    );
  }

  /** Entries in the tree. */
  get size(): number {
    return this.#size;
  }

  /** Root of the tree (RFC 9162, section 2.1.1): the subtrees folded from the right, with the root of what is behind them where that is given. */
  root(behind?: Uint8Array): Uint8Array {
    const hashes = this.#subtrees.map(({ hash }) => hash);
    if (behind !== undefined) hashes.push(behind);
    return hashes.length === 0 ? emptyRoot() : hashes.reduceRight((right, left) => nodeHash(left, right));
  }

  /** Hashes of the partial tile at `level`. */
  partial(level: number): readonly Uint8Array[] {
    return this.#partial[level] ?? [];
  }

  /** Appends one leaf hash; returns the tiles that it filled, lowest level first. */
  append(leafHash: Uint8Array): readonly FullTile[] {
    this.#size += 1;
    const tileRoots = this.#push({ level: 0, hash: leafHash });
    const full: FullTile[] = [];
    let hash = leafHash;
    for (let level = 0; ; level += 1) {
      const hashes = (this.#partial[level] ??= []);
      hashes.push(hash);
      const root = tileRoots[level];
      // the root of a tile comes about exactly when its 256th hash does
      if (root === undefined) return full;
      full.push({ level, index: this.#size / TILE_WIDTH ** (level + 1) - 1, root, data: concatBytes(...hashes) });
      this.#partial[level] = [];
      hash = root;
    }
  }

  /** Adds a subtree on the right and merges equals; returns the merged roots at levels 8, 16, …: those of tiles that are now full. */
  #push(subtree: Subtree): readonly Uint8Array[] {
    const tileRoots: Uint8Array[] = [];
    let last = subtree;
    for (let left = this.#subtrees.at(-1); left?.level === last.level; left = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      last = { level: last.level + 1, hash: nodeHash(left.hash, last.hash) };
      if (last.level % TILE_HEIGHT === 0) tileRoots.push(last.hash);
    }
    this.#subtrees.push(last);
    return tileRoots;
  }
}
