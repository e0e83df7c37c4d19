/** The driver that site.yaml names. */
import type { SiteConfig } from '../config.js';
import { commandDriver } from './command.js';
import type { Driver, DriverWorld } from './driver.js';
import { filesDriver } from './files.js';
import { kubernetesDriver } from './kubernetes/kubernetes.js';
import { podmanDriver } from './podman/podman.js';
import { quadletDriver } from './quadlet/quadlet.js';
import type { Units } from './systemd-shell.js';

/** Makes it; nothing is touched before one of its functions is called. */
export function driverOf(site: string, config: SiteConfig['driver'], world: DriverWorld, units: Units): Driver {
  switch (config.use) {
    case 'files':
      return filesDriver({ ...config, stop: config.stop }, world);
    case 'command': {
      const { prepare, stop, status, confirm } = config;
      return commandDriver({ ...config, prepare, stop, status, confirm }, world);
    }
    case 'podman':
      return podmanDriver(config, world);
    case 'quadlet':
      return quadletDriver({ ...config, site }, { ...world, units });
    case 'kubernetes':
      return kubernetesDriver({ ...config, site }, world);
  }
}
