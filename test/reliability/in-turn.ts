/** Orders of work. */

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

/** Works through all, some at a time, until one says that it was the last. */
export async function together<T>(atOnce: number, all: Iterable<T>, work: (one: T) => Promise<boolean>): Promise<void> {
  const queue = all[Symbol.iterator]();
  let goesOn = true;
  const worker = async (): Promise<void> => {
    while (goesOn) {
      const next = queue.next();
      if (next.done === true) return;
      if (!(await work(next.value))) goesOn = false;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
