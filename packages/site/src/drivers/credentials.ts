/** How a process finds the secrets of its release: as files in a folder that `CREDENTIALS_DIRECTORY` names, as systemd has it. */
import path from 'node:path';
import type { Disk } from '../disk.js';
import type { GivenSecret } from '../apply/state.js';
import type { UnitEnv } from './unit-environment.js';

/** Where values of secrets lie open while their release runs, each in a file of its name. */
export interface Credentials {
  readonly folder: string;
  readonly secrets: readonly GivenSecret[];
}

/** For a process of our own. */
export function credentialsEnv(credentials: Credentials | undefined): NodeJS.ProcessEnv {
  return credentials === undefined ? {} : { CREDENTIALS_DIRECTORY: credentials.folder };
}

/** For a unit: read by systemd, and laid down in memory for the user of the unit. */
export function loadCredentials(credentials: Credentials | undefined): readonly string[] {
  return (credentials?.secrets ?? []).map(({ name }) => `LoadCredential=${name}:${path.join(credentials?.folder ?? '', name)}`);
}

/** Those of what runs, where they lie open: after a reboot they do not until it is started again. */
export function openCredentials({ disk }: { readonly disk: Disk }, credentials: Credentials | undefined): Credentials | undefined {
  return credentials === undefined || disk.kind(credentials.folder) !== 'folder' ? undefined : credentials;
}

/** Where a command finds the file of all variables. No secret has such a name. */
export const VARIABLES = 'SEALANE_VARIABLES';

/** What a unit is given of the file of all variables: its user may not look into the state folder, so systemd lays it down for that user, as it does secrets. */
export function variablesOfUnit(unit: string, env: UnitEnv): { readonly env: UnitEnv; readonly properties: readonly string[] } {
  const file = env[VARIABLES];
  if (file === undefined) return { env, properties: [] };
  return { env: { ...env, [VARIABLES]: `/run/credentials/${unit}/${VARIABLES}` }, properties: loadVariables(file) };
}

/** The property that lays it down for a unit. */
export function loadVariables(file: string | undefined): readonly string[] {
  return file === undefined ? [] : [`LoadCredential=${VARIABLES}:${file}`];
}

/** Where a process of such a unit finds it, if it was given one: its own environment says in which folder. */
export function laidVariables({ CREDENTIALS_DIRECTORY: folder }: NodeJS.ProcessEnv, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return folder === undefined || env[VARIABLES] === undefined ? {} : { [VARIABLES]: path.join(folder, VARIABLES) };
}
