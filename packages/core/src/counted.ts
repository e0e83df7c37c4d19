/** Numbers of things in sentences for people. */

/** `1 site`, `2 sites`, `1 entry`, `2 entries`; `others` is the word for more than one where neither rule makes it. */
export function counted(count: number, one: string, others = one.replace(/(?<=[^aeiou])y$/, 'ie') + 's'): string {
  return `${count} ${count === 1 ? one : others}`;
}
