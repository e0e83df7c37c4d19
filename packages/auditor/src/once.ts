/** What depends on nothing but an object that nobody changes in place: found out once for as long as that object is held. */

/** As `read`, which is asked once of the same object; what it throws is not remembered. */
export function once<K extends object, T>(read: (key: K) => T): (key: K) => T {
  const known = new WeakMap<K, { readonly value: T }>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before.value;
    const value = read(key);
    known.set(key, { value });
    return value;
  };
}
