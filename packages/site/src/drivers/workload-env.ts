/** What commands about a workload find in their environment. */
import { readRendered } from '../apply/rendered.js';
import type { DriverWorld, SlotOnDisk } from './driver.js';

/**
 * The environment of start and health commands: that of the updater, what is configured, which release it is about, and its variables. These have a prefix
 * of their own, so that no release can set PATH or what an interpreter reads: the commands are local configuration's.
 */
export function workloadEnv(
  config: { readonly env: Readonly<Record<string, string>> },
  world: Pick<DriverWorld, 'disk' | 'hostEnv' | 'stateFolder'>,
  slot: SlotOnDisk,
): NodeJS.ProcessEnv {
  return {
    ...inheritedEnv(world.hostEnv),
    ...config.env,
    SEALANE_RELEASE: slot.release,
    SEALANE_RELEASE_DIR: slot.folder,
    SEALANE_NAME: slot.name,
    SEALANE_VERSION: slot.version,
    SEALANE_STATE: world.stateFolder,
    ...variablesEnv(world, slot),
  };
}

/** The updater's own environment without what is for it alone. */
export function inheritedEnv(hostEnv: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(hostEnv).filter(([name]) => !isOurs(name)));
}

/** Where systemd listens to the service of the updater: a workload that says it is ready, or stopping, would say so of the updater. */
const OF_SERVICE = /^(?:NOTIFY_SOCKET|WATCHDOG_(?:USEC|PID)|LISTEN_(?:FDS|PID|FDNAMES)|MAINPID|INVOCATION_ID|JOURNAL_STREAM)$/;

/** What is this program's own: its settings, where its own keys and files in memory are, and what its service manager told it. */
function isOurs(name: string): boolean {
  return name.startsWith('SEALANE_') || name === 'CREDENTIALS_DIRECTORY' || name === 'RUNTIME_DIRECTORY' || OF_SERVICE.test(name);
}

/** Each variable as `SEALANE_VAR_NAME`, and the file that has them all. */
function variablesEnv({ disk }: Pick<DriverWorld, 'disk'>, { variables }: SlotOnDisk): NodeJS.ProcessEnv {
  if (variables === undefined) return {};
  const values = Object.entries(readRendered(disk, variables)).map(([name, value]) => [`SEALANE_VAR_${name}`, String(value)] as const);
  return { SEALANE_VARIABLES: variables, ...Object.fromEntries(values) };
}
