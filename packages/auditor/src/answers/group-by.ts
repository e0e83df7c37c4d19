/** Lists by a name, in the order in which names first come: `Map.groupBy`, which Node 20 has not. */
export function groupBy<T, K>(items: readonly T[], name: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = name(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
