/**
 * What an updater in its sandbox cannot see of its own host: cards of a network that it has not, disks of a /dev that it has not. Tools that tell of them are run as
 * units of systemd, outside of it, as hooks and probes are.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { SiteError } from '@sealane/core';
import { type NetworkCards, networkCards } from './network-cards.js';
import type { InventorySource, RunCommand } from './source.js';

/** A tool that talks to a device which hangs is ended by systemd after this; a busy host may take as long to start it. */
const TOOL_SECONDS = 5;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const TOOL_FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

/** Says of each network card: its slot, the name and address of its interface, and what `ethtool -i` says of it. One unit for all of them: a poll may be each minute. */
const CARDS = `
for each in /sys/bus/pci/devices/*/net/*; do
  test -e "$each" || continue
  slot=\${each%/net/*}
  echo "@ \${slot##*/} \${each##*/} $(cat "$each/address")"
  case "\${each##*/}" in -*) ;; *) ethtool -i "\${each##*/}" ;; esac
done 2> /dev/null
exit 0
`;

/** The source as it is seen from outside. @throws SiteError `INTERNAL` when it is read: systemd runs nothing for us, so nobody knows what hardware is here */
export function seenFromOutside({ tree, runCommand, system }: InventorySource): InventorySource {
  let known: NetworkCards | undefined;
  const cards = (): NetworkCards => (known ??= networkCards(askForCards()));
  return {
    tree: {
      ...tree,
      list: (folder) => cardsBelow(folder, cards) ?? tree.list(folder),
      read: (file) => (isOfCard(file) ? cards().read(file) : tree.read(file)),
    },
    runCommand: ([tool = '', ...words]) => {
      if (tool === 'ethtool') return cards().driverOf(words.at(-1) ?? '');
      return tool === 'smartctl' ? inUnit([tool, ...words]) : runCommand([tool, ...words]);
    },
    system,
  };
}

const CARD = /^sys\/bus\/pci\/devices\/([^/]+)\/net(\/|$)/;

function isOfCard(file: string): boolean {
  return CARD.test(file);
}

function cardsBelow(folder: string, cards: () => NetworkCards): readonly string[] | undefined {
  const [, slot] = CARD.exec(folder) ?? [];
  return slot === undefined ? undefined : cards().interfacesOf(slot);
}

function askForCards(): string {
  try {
    return systemdRun(['/bin/sh', '-s'], CARDS);
  } catch (cause) {
    if (!(cause instanceof Error && ('code' in cause || 'status' in cause))) throw cause;
    throw new SiteError('INTERNAL', `look at the network cards of this host: systemd did not run it: ${cause.message}`, {}, { cause });
  }
}

/** What a tool says that is here and succeeds. */
const inUnit: RunCommand = ([tool = '', ...words]) => {
  const file = TOOL_FOLDERS.map((folder) => path.join(folder, tool)).find((each) => existsSync(each));
  if (file === undefined) return undefined;
  try {
    return systemdRun([file, ...words]);
  } catch (error) {
    if (error instanceof Error && ('code' in error || 'status' in error)) return undefined;
    throw error;
  }
};

function systemdRun(argv: readonly string[], input = ''): string {
  const manner = ['--quiet', '--wait', '--collect', '--pipe', '--setenv=LC_ALL=C'];
  // it would fill the journal with its starts
  const properties = [
    `RuntimeMaxSec=${TOOL_SECONDS}`,
    'Description=Sealane: a look at the hardware',
    'LogLevelMax=warning',
    'NoNewPrivileges=yes',
  ];
  return execFileSync('systemd-run', [...manner, ...properties.map((each) => `--property=${each}`), '--', ...argv], {
    encoding: 'utf8',
    input,
    env: { PATH: TOOL_FOLDERS.join(':') },
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: TOOL_SECONDS * 2 * 1000,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
}
