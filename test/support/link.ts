/** Links between network namespaces as the kernel makes them: a pair of interfaces with a rate, a loss, and a plug to pull. */
import { execFileSync, spawnSync } from 'node:child_process';
import { isolate, type Isolated } from './netns.js';

/** Whether this machine lets us make links. With `SEALANE_REQUIRE=all` a machine that does not is an error. */
export function canLink(): boolean {
  const { status, stderr, error } = spawnSync(
    'unshare',
    [
      '-n',
      'sh',
      '-ec',
      'ip link add name one type veth peer name two; iptables -L; tc qdisc add dev one root tbf rate 1mbit burst 4kb latency 1s',
    ],
    { encoding: 'utf8' },
  );
  if (status === 0) return true;
  if (process.env['SEALANE_REQUIRE'] === 'all')
    throw new Error(`make a link: expected unshare, ip, tc and iptables to work, got ${error?.message ?? stderr}`);
  return false;
}

/** A namespace at the end of a link. */
export interface End extends Isolated {
  /** Its address on the link. */
  readonly address: string;
  /** Runs a program in it, to its end. */
  run(program: string, ...words: readonly string[]): string;
}

/** A link between two ends. */
export interface Link {
  /** No faster in either direction; what is too much waits for up to a second, as in a modem. */
  rate(kbit: number): void;
  /** Loses packets at random, in both directions. */
  lose(probability: number): void;
  cut(): void;
  mend(): void;
  /** Bytes that went to the first end. */
  received(): number;
}

/** A namespace without any link yet. */
export async function end(address: string): Promise<End> {
  const inside = await isolate();
  const [enter, ...words] = inside.enter;
  return { ...inside, address, run: (program, ...more) => execFileSync(enter, [...words, program, ...more], { encoding: 'utf8' }) };
}

/** Plugs two ends together. `name` is that of the interface, of at most eight letters. */
export function plug(name: string, first: End, second: End): Link {
  const pid = (of: End): string => of.enter[2] ?? '';
  execFileSync('ip', ['link', 'add', 'name', name, 'netns', pid(first), 'type', 'veth', 'peer', 'name', name, 'netns', pid(second)]);
  const both = (program: string, ...words: readonly string[]): void => [first, second].forEach((side) => void side.run(program, ...words));
  for (const [side, peer] of [
    [first, second],
    [second, first],
  ] as const) {
    side.run('ip', 'address', 'add', side.address, 'peer', peer.address, 'dev', name);
    side.run('ip', 'link', 'set', name, 'up');
  }
  return {
    rate: (kbit) => both('tc', 'qdisc', 'replace', 'dev', name, 'root', 'tbf', 'rate', `${kbit}kbit`, 'burst', '4kb', 'latency', '1s'),
    lose: (probability) => {
      both('iptables', '-F', 'INPUT');
      const random = ['-m', 'statistic', '--mode', 'random', '--probability', String(probability)];
      if (probability > 0) both('iptables', '-A', 'INPUT', '-i', name, ...random, '-j', 'DROP');
    },
    cut: () => void first.run('ip', 'link', 'set', name, 'down'),
    mend: () => void first.run('ip', 'link', 'set', name, 'up'),
    received: () => Number(new RegExp(`${name}:\\s*(\\d+)`).exec(first.run('cat', '/proc/net/dev'))?.[1]),
  };
}
