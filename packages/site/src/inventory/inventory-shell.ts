/** The real source of an inventory: this machine's /sys and /proc, or a copied tree below another root. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { arch, cpus, machine } from 'node:os';
import path from 'node:path';
import { seenFromOutside } from './outside-shell.js';
import type { InventorySource, InventoryTree, RunCommand } from './source.js';

/** Longest file read, in characters kept: `proc/cpuinfo` of 512 processors has 800 KB. */
const MAX_TEXT = 4 * 1024 * 1024;
/** A tool that talks to a device which hangs is given up after this. */
const COMMAND_TIMEOUT_MS = 5000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Where ethtool and lspci are; the caller's own path is not asked. */
const TOOL_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** From where this machine is looked at: from this process, or from outside of its sandbox, by units of systemd. */
export type Lookout = 'here' | 'outside';

/** This machine (`/`), or a tree: there `cmd/<command line>` holds what a tool would print, and nothing else is run or asked. */
export function inventorySource(root: string, from: Lookout = 'here'): InventorySource {
  const tree = treeBelow(root);
  if (path.resolve(root) !== '/') return { tree, runCommand: (argv) => tree.read(`cmd/${argv.join(' ')}`), system: {} };
  const here = { tree, runCommand, system: { arch: machine() || arch(), cpuModel: () => cpus()[0]?.model } };
  return from === 'here' ? here : seenFromOutside(here);
}

function treeBelow(root: string): InventoryTree {
  return {
    read: (file) => orUnknown(() => readFileSync(path.join(root, file), 'utf8').slice(0, MAX_TEXT)),
    list: (folder) => (orUnknown(() => readdirSync(path.join(root, folder))) ?? []).sort(),
    resolve: (file) => orUnknown(() => realpathSync(path.join(root, file))),
  };
}

const runCommand: RunCommand = ([tool = '', ...words]) =>
  orUnknown(() =>
    execFileSync(tool, words, {
      encoding: 'utf8',
      env: { PATH: TOOL_PATH, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: COMMAND_TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    }),
  );

/** Whatever the system refuses (absent, forbidden, a driver's EIO, a tool's exit code) makes a fact unknown, and unknown is never covered. */
function orUnknown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && ('code' in error || 'status' in error)) return undefined;
    throw error;
  }
}
