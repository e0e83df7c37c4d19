/** Names the durable steps of a publish on a diagnostics channel: tests kill the process there, and a trace can listen. */
import { channel } from 'node:diagnostics_channel';

const points = channel('sealane:point');

/** Says that the step `name` is done and durable, or that a step is half done. */
export function reached(name: string): void {
  points.publish({ name });
}
