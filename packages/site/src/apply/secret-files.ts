/** Values of secrets on disk: sealed as they came, and open for the workload that runs, in a folder that goes away with it. */
import path from 'node:path';
import { LIMITS, openValue, SealaneError, sha256, SiteError } from '@sealane/core';
import { parseBundle, parseSealedSecret, readSecret } from '@sealane/trust';
import type { Disk } from '../disk.js';
import type { Site } from '../site.js';
import type { StateFolder } from '../state-folder.js';
import { keptSecrets } from './secret-versions.js';
import type { GivenSecret, KnownSecret } from './state.js';
import type { SiteState, Slot, Target } from './state.js';

/**
 * Lays the values of a release open for its workload, and takes away what was there for another.
 *
 * @throws SiteError `HEALTH_FAILED` one of them is gone or does not open: the release cannot run with it
 */
export async function laySecretsOpen(site: Site, { secrets = [] }: Pick<Slot | Target, 'secrets'>): Promise<void> {
  const { disk } = site.world;
  const open = site.folder.credentials;
  disk.remove(open);
  if (secrets.length === 0) return;
  disk.makeFolder(path.dirname(open), 0o750);
  disk.makeFolder(open, 0o700);
  for (const secret of secrets) disk.writeSynced(path.join(open, secret.name), await valueOf(site, secret), 0o600);
}

async function valueOf(site: Site, { name, version }: GivenSecret): Promise<Uint8Array> {
  const file = sealedFile(site.folder, { name, version });
  try {
    const bytes = site.world.disk.read(file, LIMITS.sealedSecretBytes);
    if (bytes === undefined) throw new SiteError('STATE_CORRUPT', `read ${file}: expected a sealed secret, got nothing`, { path: file });
    const { sealed } = parseSealedSecret(bytes);
    return await openValue(sealed, { keyId: site.signer.keyId, secret: name, version }, await site.sealingKey());
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw new SiteError('HEALTH_FAILED', `give the workload secret ${name}: ${cause.message}`, {}, { cause });
  }
}

/** Where a sealed value lies. */
export function sealedFile(folder: StateFolder, { name, version }: GivenSecret): string {
  return path.join(folder.secrets, `${name}.${version}.json`);
}

/** Removes sealed values that nothing needs any more. */
export function pruneSecrets(disk: Disk, folder: StateFolder, state: SiteState): void {
  const needed = new Set(keptSecrets(state).map((secret) => path.basename(sealedFile(folder, secret))));
  for (const name of disk.list(folder.secrets)) if (!needed.has(name)) disk.remove(path.join(folder.secrets, name));
}

/** What lies on disk, for a journal that lost it: no value that was taken in before comes in again as a newer one. */
export function secretsOnDisk(disk: Disk, folder: StateFolder): readonly KnownSecret[] {
  return disk.list(folder.secrets).flatMap((name) => {
    // what a power cut left of one that was being written was never taken in
    if (!name.endsWith('.json')) return [];
    const bytes = disk.read(path.join(folder.secrets, name), LIMITS.sealedSecretBytes);
    return bytes === undefined ? [] : [knownFrom(bytes)];
  });
}

function knownFrom(bytes: Uint8Array): KnownSecret {
  const { statement, statementDigest } = parseBundle(parseSealedSecret(bytes).bundle);
  const { secret, version } = readSecret(statement);
  return { name: secret, version, statement: statementDigest, blob: sha256(bytes) };
}
