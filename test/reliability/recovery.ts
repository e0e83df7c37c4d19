/** The site's own code, in this process, as after a boot: real disk, real driver, real verification; what waits, waits shortly. */
import { stateFolder } from '../../packages/site/src/state-folder.js';
import { takeLock } from '../../packages/site/src/apply/lock.js';
import { openMachine } from '../../packages/site/src/apply/machine.js';
import type { SiteResult } from '../../packages/site/src/apply/outcome.js';
import { runUpdate } from '../../packages/site/src/apply/update.js';
import { type Clock, systemClock } from '../../packages/site/src/clock.js';
import { readConfig } from '../../packages/site/src/config.js';
import { nodeDisk } from '../../packages/site/src/disk.js';
import { driverOf } from '../../packages/site/src/drivers/driver-of.js';
import { systemProcesses } from '../../packages/site/src/drivers/process-table.js';
import { systemdUnits } from '../../packages/site/src/drivers/systemd-shell.js';
import { unitEnvironments } from '../../packages/site/src/drivers/unit-environment.js';
import { runToEnd } from '../../packages/site/src/drivers/run-to-end.js';
import type { FetchWorld } from '../../packages/site/src/fetch/sync-run.js';
import { serveFetch } from '../../packages/site/src/fetch/worker.js';
import { hardwareOf, judgedHardware } from '../../packages/site/src/hardware-shell.js';
import type { Fetcher } from '../../packages/site/src/apply/fetch-shell.js';
import type { Site, SiteWorld as Outside } from '../../packages/site/src/site.js';
import { openSealingKey } from '../../packages/site/src/sealing-key.js';
import { openSiteKey } from '../../packages/site/src/site-key.js';
import type { TestSite } from '../support/site.js';
import { type CutWorld, treeHash } from './scenes.js';

/** Node's own clocks run on: a sleep lasts long enough for processes to start and end, and counts as what it should have lasted. */
const SLEEP_MS = 1;

function clockAfterBoot(boot: string): Clock {
  let uptimeSeconds = 60;
  return {
    wallTime: systemClock.wallTime,
    uptimeSeconds: () => uptimeSeconds,
    bootId: () => boot,
    sleep: async (ms, signal) => {
      await systemClock.sleep(Math.min(ms, SLEEP_MS), signal);
      uptimeSeconds += ms / 1000;
    },
  };
}

/** What `sealane-site update` would answer as the first command after a boot. A slot that is asked for its health and is not whole is a fault. */
export async function updateAfterBoot(
  world: CutWorld,
  { config: file, state, dir }: TestSite,
  boot: string,
): Promise<{ result: SiteResult; faults: readonly string[] }> {
  const folder = stateFolder(state);
  const { signal } = new AbortController();
  const clock = clockAfterBoot(boot);
  const fetchWorld: FetchWorld = { disk: nodeDisk, clock, random: () => 0.5, signal };
  const faults: string[] = [];
  const fetcher = (): Fetcher => ({
    sync: async (request) => {
      const answer = await serveFetch(request, fetchWorld);
      return 'synced' in answer ? answer.synced : wrongAnswer();
    },
    flush: async (request) => {
      const answer = await serveFetch(
        { ...request, receiptsTo: request.receiptsTo.map((place) => ({ ...place, at: `${dir}/out` })) },
        fetchWorld,
      );
      return 'flushed' in answer ? answer.flushed : wrongAnswer();
    },
    // the sites here were given no authority, so they ask for nothing
    certify: () => Promise.resolve({ problem: null }),
    wipe: () => Promise.resolve(),
    dropOffer: (offer) => {
      nodeDisk.remove(offer);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
  const outside: Outside = {
    disk: nodeDisk,
    clock,
    processes: systemProcesses,
    pid: process.pid,
    env: process.env,
    signal,
    salt: () => new Uint8Array(16),
    startFetcher: fetcher,
    startListener: fetcher,
    collectHardware: () => Promise.resolve(hardwareOf(nodeDisk, folder.inventory, config.inventory, () => undefined)),
    judgedHardware: () => Promise.resolve(judgedHardware(nodeDisk, folder.inventory, config.inventory, () => undefined)),
    isGoingDown: () => Promise.resolve(false),
    talk: () => undefined,
  };
  const config = readConfig(nodeDisk, file);
  const site: Site = {
    world: outside,
    folder,
    config,
    signer: openSiteKey(nodeDisk, folder.key),
    sealingKey: () => openSealingKey(nodeDisk, folder.sealingKey),
    driver: driverOf(
      config.name,
      config.driver,
      {
        disk: nodeDisk,
        clock,
        processes: systemProcesses,
        signal,
        hostEnv: process.env,
        stateFolder: folder.root,
        talk: () => undefined,
        run: runToEnd,
        // no release here has images
        serveImages: wrongAnswer,
      },
      systemdUnits(unitEnvironments(folder.environments, { disk: nodeDisk, processes: systemProcesses, pid: process.pid })),
    ),
    prober: {
      ask: (_, { cwd, env }) => {
        const whole = world.trees.get(env['SEALANE_RELEASE'] ?? '');
        const isWhole = treeHash(cwd) === whole;
        if (!isWhole && whole !== undefined) faults.push(`mixed: health was asked of ${cwd}, which is not its release`);
        return Promise.resolve({
          id: 'health',
          verdict: isWhole ? 'pass' : 'fail',
          expected: 'the release',
          actual: '',
          remedy: '',
          evidence: [],
        });
      },
      close: () => Promise.resolve(),
    },
  };
  const release = takeLock(outside, folder.lock);
  try {
    return { result: await runUpdate(site, openMachine(nodeDisk, folder.journal), 'update'), faults };
  } finally {
    release();
  }
}

function wrongAnswer(): never {
  throw new Error('ask fetch: expected the answer to what was asked');
}
