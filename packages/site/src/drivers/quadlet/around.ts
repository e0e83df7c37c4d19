/** What the parts of the driver are given, and the service as they know it. */
import type { DriverWorld } from '../driver.js';
import type { PodmanDriverConfig } from '../podman/engine.js';
import type { Units } from '../systemd-shell.js';

/** What local configuration says: as for Podman, but for what the units say themselves. */
export type QuadletDriverConfig = Omit<PodmanDriverConfig, 'network' | 'engine'> & { readonly site: string };

/** The outside of the driver. */
export type QuadletWorld = DriverWorld & { readonly units: Units };

/** The driver's configuration and what is around it. */
export interface QuadletAround {
  readonly config: PodmanDriverConfig & { readonly site: string };
  readonly world: QuadletWorld;
}

/** A service of the release, and the digest of its definition once it was started. */
export interface KnownService {
  readonly service: string;
  readonly definition: string | undefined;
}
