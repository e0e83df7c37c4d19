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

/** Flags that take the next word for no value of theirs, of any version (podman-run(1), podman-kube-play(1), podman(1) and those of the other units). */
const NO_VALUE: readonly string[] =
  `all-tags build detach disable-content-trust disable-dns down env-host force help http-proxy ignore infra init interactive internal ipv6
  no-healthcheck no-hosts no-hostname no-pod-prefix noout no-trunc oom-kill-disable passwd privileged publish-all quiet read-only read-only-tmpfs remote
  replace rm rmi service-container share-parent sig-proxy start syslog tls-verify trace transient-store tty unsetenv-all version wait`.split(
    /\s+/,
  );

/** All flags as they are read one after the other. */
export interface ReadArgs {
  readonly flags: readonly PodmanFlag[];
  /** What is no flag and no value of one, so podman takes it for what it is about: the image, the manifest, its own command. */
  readonly loose: string | undefined;
  /** A flag without its value, which takes what quadlet writes next: that very image. */
  readonly open: string | undefined;
}

/**
 * Reads values that stand one after the other in a command line, each flag with the value that is its own. A flag that is not known is taken for one with a
 * value; where that begins with a dash only podman knows, and nothing behind it is read.
 */
export function readPodmanArgs(values: readonly string[]): ReadArgs {
  const words = values.flatMap(systemdWords);
  const flags: PodmanFlag[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!/^--?[^-]/.test(word)) return { flags, loose: word, open: undefined };
    const [, long, given] = /^--([^=]+)(?:=([^]*))?$/.exec(word) ?? [];
    const [first, ...rest] = long === undefined ? lettersOf(word, '').toReversed() : [{ flag: long, argument: given ?? '' }];
    flags.push(...rest.toReversed());
    if (first === undefined) continue;
    const isWhole = given !== undefined || first.argument !== '' || NO_VALUE.includes(first.flag) || SWITCHES.test(`-${first.flag}`);
    const next = words[at + 1];
    if (isWhole) flags.push(first);
    else if (next === undefined) return { flags, loose: undefined, open: first.flag };
    else if (/^-(?!\d)/.test(next)) return { flags, loose: undefined, open: undefined };
    else {
      flags.push({ ...first, argument: next });
      at += 1;
    }
  }
  return { flags, loose: undefined, open: undefined };
}
