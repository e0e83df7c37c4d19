/** What a full check of a ledger answers. */

/**
 * One row, or one thing, that is not what it must be. `where` is `entry`, `tile`, `commit`, `cosigned`, `ledger`, `archive`, `erased`, a table of the projection,
 * `checkpoint` (the given one), `seen` (what a given statement quotes), `schema`, `sqlite`, `postgres` or `database`; `key` is the row's key: an index, `level/n`, a size, a name.
 */
export interface LedgerProblem {
  readonly where: string;
  readonly key: string;
  readonly expected: string;
  readonly actual: string;
}

/** The answer; `ok` only where everything was seen. `root` is what was recomputed from the entries; `complete` is false when there were more problems than are listed. */
export interface LedgerReport {
  readonly ok: boolean;
  readonly problems: readonly LedgerProblem[];
  readonly complete: boolean;
  readonly size: number;
  readonly root: Uint8Array;
  /** Entries whose payload is in an archive that could not be read: their leaves are as they were, what they say was not seen. Null where there are none. */
  readonly unseen: Unseen | null;
}

/** What could not be seen, and why. */
export interface Unseen {
  readonly entries: number;
  readonly why: string;
}

/** A list longer than this tells nobody more. */
const MAX_PROBLEMS = 500;

/** Collects problems up to a bound. */
export class Problems {
  readonly #list: LedgerProblem[] = [];
  #left = 0;
  #unseen: Unseen | null = null;

  add(where: string, key: string | number, expected: string, actual: string): void {
    if (this.#list.length < MAX_PROBLEMS) this.#list.push({ where, key: String(key), expected, actual });
    else this.#left += 1;
  }

  /** Takes note of an entry that could not be seen. */
  miss(why: string): void {
    this.#unseen = { entries: (this.#unseen?.entries ?? 0) + 1, why: this.#unseen?.why ?? why };
  }

  get unseen(): Unseen | null {
    return this.#unseen;
  }

  get count(): number {
    return this.#list.length + this.#left;
  }

  report(size: number, root: Uint8Array): LedgerReport {
    const ok = this.count === 0 && this.#unseen === null;
    return { ok, problems: this.#list, complete: this.#left === 0, size, root, unseen: this.#unseen };
  }
}
