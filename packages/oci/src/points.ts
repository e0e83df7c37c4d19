/** Places where a test may stop the process, announced on a diagnostics channel; nobody listens in production. */
import { channel } from 'node:diagnostics_channel';

const points = channel('sealane:point');

/** Announces a place: `oci:NAME`. */
export function reached(name: string): void {
  points.publish({ name: `oci:${name}` });
}
