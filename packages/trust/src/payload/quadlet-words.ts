/** What becomes of a value of a quadlet unit once it stands in the command line that systemd runs: quadlet writes `$` and `%` as they are, and systemd expands them. */
import { systemdWords } from './systemd-words.js';

/** Keys whose values are texts for the container, whatever stands in them. */
const TEXTS: readonly string[] = ['Exec', 'Environment', 'Label', 'Annotation', 'HealthCmd', 'HealthStartupCmd'];

/**
 * Whether a value may be more or fewer words than one. `$NAME` at the beginning of a word stands for as many as its value has, and for none where it is not
 * set: podman takes the next flag for the value then, and what was that flag's own for a flag (`--privileged`) or for the image. What stands after the image
 * is the container's.
 */
export function mayBeManyWords({ key, value }: { readonly key: string; readonly value: string }): boolean {
  // quadlet takes a command of health for one word
  const split = key.startsWith('Health') ? [] : systemdWords(value);
  return key !== 'Exec' && [value, value.replace(/^:/, ''), ...split].some((word) => /^\s*["']?\$(?![{$])/.test(word));
}

/** Whether systemd puts something else in place of a part of a value that says what the container is: a variable or a specifier. `$$` and `%%` are the characters themselves. */
export function isExpanded({ key, value }: { readonly key: string; readonly value: string }): boolean {
  const isPlain = (word: string): boolean => !/[$%]/.test(word.replaceAll('$$', '').replaceAll('%%', ''));
  return !TEXTS.includes(key) && ![value, ...systemdWords(value)].every(isPlain);
}

/** Whether a value has a line end or the like in it once its escapes are read: quadlet writes the source of a mount into the unit as it is, where it would begin a line of its own. */
export function hasControl(value: string): boolean {
  return systemdWords(value).some((word) => /\p{Cc}/u.test(word));
}
