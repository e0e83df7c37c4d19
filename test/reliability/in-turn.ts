/** One of each in turn, to the end of all: a run that is broken off has tried a fair part. */
export function* inTurn<T>(all: readonly Iterable<T>[]): Generator<T> {
  let open = all.map((one) => one[Symbol.iterator]());
  while (open.length > 0) {
    const still: typeof open = [];
    for (const one of open) {
      const next = one.next();
      if (next.done === true) continue;
      still.push(one);
      yield next.value;
    }
    open = still;
  }
}
