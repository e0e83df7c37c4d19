/** A release in its slot: run, and watched. */
import path from 'node:path';
import { SiteError } from '@sealane/core';
import { crashPoint } from '../crash-point.js';
import { durableLink } from '../durable-write.js';
import { credentialsEnv } from '../drivers/credentials.js';
import type { SlotOnDisk } from '../drivers/driver.js';
import { workloadEnv } from '../drivers/workload-env.js';
import { look, watch, type Watched, type WatchPlan, type WatchResult, watchStart } from '../health/watch.js';
import type { Site } from '../site.js';
import { slotFolder } from '../state-folder.js';
import { renderedFile } from './rendered.js';
import { laySecretsOpen } from './secret-files.js';
import type { Slot, Target } from './state.js';

/** Stops what runs, points `current` at the release, starts it. @throws SiteError `HEALTH_FAILED` */
export async function runSlot(site: Site, release: Target | Slot): Promise<void> {
  const { world, folder, driver } = site;
  if (driver.replaces !== true) await driver.stop();
  crashPoint('update:stopped');
  durableLink(world.disk, path.join('releases', path.basename(slotFolder(folder, release.release))), folder.current);
  crashPoint('update:linked');
  await startSlot(site, release);
  crashPoint('update:started');
}

/** Starts a release with the values of its secrets open. @throws SiteError `HEALTH_FAILED` */
export async function startSlot(site: Site, release: Target | Slot): Promise<void> {
  await laySecretsOpen(site, release);
  await site.driver.start(slotOf(site.folder, release));
}

/** Stops what runs, and takes away the values that it was given. */
export async function stopWorkload({ world, folder, driver }: Pick<Site, 'world' | 'folder' | 'driver'>): Promise<void> {
  await driver.stop();
  world.disk.remove(folder.credentials);
}

/** The release in its slot, as the driver takes it. */
export function slotOf(folder: Site['folder'], { release, name, version, rendered, secrets }: Slot | Target): SlotOnDisk {
  const variables = rendered === undefined ? {} : { variables: renderedFile(folder, rendered) };
  const credentials = secrets === undefined ? {} : { credentials: { folder: folder.credentials, secrets } };
  return { release, name, version, folder: slotFolder(folder, release), ...variables, ...credentials };
}

/** The health of a release at this moment. @throws SiteError `INTERRUPTED` */
export async function lookOnce(site: Site, release: Target): Promise<WatchResult> {
  return await interruptible(release, () => look(watched(site, release), site.world.signal));
}

/** Watches it through its probation, of which some seconds may be over. @throws SiteError `INTERRUPTED` */
export async function watchThrough(site: Site, release: Target, sinceSeconds: number, signal: AbortSignal): Promise<WatchResult> {
  const { clock } = site.world;
  return await interruptible(release, () => watch(watched(site, release), plan(site), sinceSeconds, clock, signal));
}

/** Watches it until it is healthy once. @throws SiteError `INTERRUPTED` */
export async function watchUntilUp(site: Site, release: Target | Slot): Promise<WatchResult> {
  const { clock, signal } = site.world;
  return await interruptible(release, () => watchStart(watched(site, release), plan(site), clock, signal));
}

function watched({ world, folder, config, driver, prober }: Site, release: Target | Slot): Watched {
  const slot = slotOf(folder, release);
  // what systemd told this service is not for others
  const hostEnv = config.driver.unit === undefined ? world.env : {};
  const env = {
    ...workloadEnv(config.driver, { disk: world.disk, hostEnv, stateFolder: folder.root }, slot),
    ...credentialsEnv(slot.credentials),
  };
  return {
    status: () => driver.status(),
    ask: () => Promise.all(config.driver.health.map((question) => prober.ask(question, { cwd: slot.folder, env }))),
  };
}

function plan({ config }: Site): WatchPlan {
  const { startSeconds, probationSeconds, healthIntervalMs, healthFailures } = config.driver;
  return { startSeconds, probationSeconds, intervalMs: healthIntervalMs, failures: healthFailures };
}

async function interruptible<T>(release: Target | Slot, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'AbortError') {
      throw new SiteError(
        'INTERRUPTED',
        `watch ${release.name} ${release.version}: interrupted; it runs on and is judged by the next command`,
        {},
        { cause },
      );
    }
    throw cause;
  }
}
