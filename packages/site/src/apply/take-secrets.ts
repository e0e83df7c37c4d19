/** Sealed secrets that wait for this site: judged, opened once to see that they can be, and kept as they came. */
import { digestHex, openValue, SealaneError, sha256, SiteError } from '@sealane/core';
import { judgeSiteSecret, type SentSecret } from '@sealane/trust';
import { durableWrite } from '../durable-write.js';
import type { Site } from '../site.js';
import { admitInput, mirrorOf } from './admission.js';
import type { Machine } from './machine.js';
import { sealedFile } from './secret-files.js';
import { highestOf } from './secret-versions.js';
import type { KnownSecret } from './state.js';

/** A sealed secret that counts here, and is newer than what is here. */
interface Arrived extends KnownSecret {
  readonly bytes: Uint8Array;
}

/**
 * Opens what the channel has waiting, to see that it can be opened, and with `update` keeps it, durably. What does not count is said, and stops nothing.
 * Names of what came are returned.
 */
export async function takeSecrets(
  site: Site,
  machine: Machine,
  mail: readonly SentSecret[],
  mode: 'check' | 'update',
): Promise<readonly string[]> {
  const names: string[] = [];
  for (const sent of mail) {
    try {
      const arrived = await arrivedSecret(site, machine, sent);
      if (arrived === undefined) continue;
      if (mode === 'update') keepSecret(site, machine, arrived);
      names.push(arrived.name);
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      site.world.talk(`secret ${sent.secret}, which was sent here, was not taken in: ${error.message}`);
    }
  }
  return names;
}

async function arrivedSecret(site: Site, machine: Machine, { secret: name, digest, length }: SentSecret): Promise<Arrived | undefined> {
  const lane = mirrorOf(site);
  const bytes = lane.read(`content/blobs/sha256/${digestHex(digest)}`, length);
  const { secrets } = machine.state();
  if (bytes === undefined || sha256(bytes) !== digest || secrets.some(({ blob }) => blob === digest)) return undefined;
  const { secret, version, statement, sealed } = judgeSiteSecret(await admitInput(site, machine, lane), bytes);
  const known = highestOf(secrets, secret);
  if (secret !== name || version <= known)
    throw new SiteError(
      'SECRET_INVALID',
      `take in secret ${name}: expected a version above ${known} of it, got version ${version} of ${secret}`,
    );
  await openValue(sealed, { keyId: site.signer.keyId, secret, version }, await site.sealingKey());
  return { name: secret, version, statement, blob: digest, bytes };
}

function keepSecret({ world, folder }: Site, machine: Machine, { bytes, ...secret }: Arrived): void {
  world.disk.makeFolder(folder.secrets, 0o700);
  durableWrite(world.disk, sealedFile(folder, secret), bytes);
  machine.record({ is: 'secret-taken', secret });
  world.talk(`took in version ${secret.version} of secret ${secret.name}`);
}
