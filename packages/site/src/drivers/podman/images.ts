/** Images of a release, out of the site's own store into the engine: by digest, through a registry on loopback that lives as long as the pull. */
import path from 'node:path';
import { SiteError, utf8 } from '@sealane/core';
import type { SlotOnDisk } from '../driver.js';
import { workloadEnv } from '../workload-env.js';
import { type Around, engine, howOf } from './engine.js';
import { registriesConf, signaturePolicy } from './engine-config.js';
import { runFolder } from './kept-manifests.js';
import type { ManifestImage } from './kube-manifest.js';

/**
 * Pulls what is not there yet, and runs `then` while the site's registry answers for the names in the manifests. What `then` has the engine pull is held to the
 * same `policy`, a file.
 *
 * @throws SiteError `DRIVER_NOT_READY` the engine does not take one; what `then` throws
 */
export async function withImages(
  around: Around,
  slot: SlotOnDisk,
  images: readonly ManifestImage[],
  then: (env: NodeJS.ProcessEnv, policy: string) => Promise<void>,
): Promise<void> {
  const { world } = around;
  const mirror = await world.serveImages(slot.release);
  try {
    const folder = runFolder(world);
    world.disk.makeFolder(folder, 0o750);
    const [registries, policy] = [path.join(folder, 'registries.conf'), path.join(folder, 'policy.json')];
    world.disk.writeSynced(registries, utf8(registriesConf(images, mirror.address)), 0o640);
    world.disk.writeSynced(policy, utf8(signaturePolicy(images, mirror.address)), 0o640);
    const env = { ...workloadEnv(around.config, world, slot), CONTAINERS_REGISTRIES_CONF: registries };
    for (const image of images) await pull(around, image, policy, env);
    await then(env, policy);
  } finally {
    await mirror.close();
  }
}

async function pull(around: Around, { name, digest }: ManifestImage, policy: string, env: NodeJS.ProcessEnv): Promise<void> {
  const image = `${name}@${digest}`;
  if ((await engine(around, ['image', 'exists', image], { env })).code === 0) return;
  const options = { env, seconds: around.config.prepareSeconds, as: 'pull' };
  const end = await engine(around, ['pull', '--quiet', '--signature-policy', policy, image], options);
  if (end.code !== 0) throw new SiteError('DRIVER_NOT_READY', `pull ${image} from the store of this site: expected exit 0, ${howOf(end)}`);
}
