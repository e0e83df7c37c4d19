/** What is passed to podman around the keys that quadlet knows (`PodmanArgs=`, `GlobalArgs=`), flag by flag as podman takes it (podman-run(1)). */
import { systemdWords } from './systemd-words.js';

/** A flag by its long name, or by its letter where it has been given so. */
export interface PodmanFlag {
  readonly flag: string;
  /** What stands behind `=`, or else the next word: whether that is its own only podman knows, so it is judged as if it were. */
  readonly argument: string;
}

/** Letters that take no value, and so may stand before another one: `-itv /etc:/host`. */
const SWITCHES = /^-[diPqt]+/;

/** The flags of a value, in their order. */
export function podmanFlags(value: string): readonly PodmanFlag[] {
  const words = systemdWords(value);
  return words.flatMap((word, at) => {
    const next = words[at + 1] ?? '';
    const argument = next.startsWith('-') ? '' : next;
    const [, long, given] = /^--([^=]+)(?:=([^]*))?$/.exec(word) ?? [];
    if (long !== undefined) return [{ flag: long, argument: given ?? argument }];
    return /^-[^-]/.test(word) ? lettersOf(word, argument) : [];
  });
}

/** `-v/etc:/host`, `-v=/etc:/host`, `-v /etc:/host`, each with switches before it. */
function lettersOf(word: string, next: string): readonly PodmanFlag[] {
  const [switches = '-'] = SWITCHES.exec(word) ?? [];
  const [, letter, given = ''] = /^(.)=?([^]*)$/.exec(word.slice(switches.length)) ?? [];
  const before = switches
    .slice(1)
    .split('')
    .map((flag) => ({ flag, argument: '' }));
  return letter === undefined ? before : [...before, { flag: letter, argument: given === '' ? next : given }];
}
