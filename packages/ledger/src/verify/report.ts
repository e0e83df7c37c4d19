/** What a full check of a ledger answers. */

/**
 * One row, or one thing, that is not what it must be. `where` is `entry`, `tile`, `commit`, `cosigned`, `ledger`, a table of the projection,
 * `checkpoint` (the given one), `seen` (what a given statement quotes), `schema`, `sqlite`, `postgres` or `database`; `key` is the row's key: an index, `level/n`, a size, a name.
 */
export interface LedgerProblem {
  readonly where: string;
  readonly key: string;
  readonly expected: string;
  readonly actual: string;
}

/** The answer. `root` is what was recomputed from the entries; `complete` is false when there were more problems than are listed. */
export interface LedgerReport {
  readonly ok: boolean;
  readonly problems: readonly LedgerProblem[];
  readonly complete: boolean;
  readonly size: number;
  readonly root: Uint8Array;
}

/** A list longer than this tells nobody more. */
const MAX_PROBLEMS = 500;

/** Collects problems up to a bound. */
export class Problems {
  readonly #list: LedgerProblem[] = [];
  #left = 0;

  add(where: string, key: string | number, expected: string, actual: string): void {
    if (this.#list.length < MAX_PROBLEMS) this.#list.push({ where, key: String(key), expected, actual });
    else this.#left += 1;
  }

  get count(): number {
    return this.#list.length + this.#left;
  }

  report(size: number, root: Uint8Array): LedgerReport {
    return { ok: this.count === 0, problems: this.#list, complete: this.#left === 0, size, root };
  }
}
