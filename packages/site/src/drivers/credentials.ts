/** How a process finds the secrets of its release: as files in a folder that `CREDENTIALS_DIRECTORY` names, as systemd has it. */
import path from 'node:path';
import type { Disk } from '../disk.js';
import type { GivenSecret } from '../apply/state.js';

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
