/**
 * Named moments between durable steps, published on a diagnostics channel. Nobody listens in production; a test that kills the
 * process at each of them shows that recovery works from there.
 */
import { channel } from 'node:diagnostics_channel';

const points = channel('sealane:point');

/** The moments of `update`, `rollback` and recovery, in the order in which they can come. */
export const CRASH_POINTS = [
  'update:locked',
  'update:fetched',
  'update:trust-saved',
  'update:admitted',
  'update:blobs-copied',
  'update:unpacked',
  'update:staged',
  'update:switching',
  'update:stopped',
  'update:linked',
  'update:workload-recorded',
  'update:started',
  'update:probation',
  'update:committed',
  'update:rolling-back',
  'update:rolled-back',
  'update:receipt-written',
  'update:receipt-queued',
  'update:flushed',
  'update:pruned',
] as const;

/** Those of a release with parts without a way back, between its probation and its commit. */
export const ONE_WAY_CRASH_POINTS = [
  'update:saving',
  'update:snapshot-taken',
  'update:one-way',
  'update:one-way-applied',
  'update:settling',
] as const;

/** Those of a site that the registrar retired, in their order. */
export const RETIRE_CRASH_POINTS = [
  'update:retirement-taken',
  'update:receipt-written',
  'update:retiring',
  'retire:stopped',
  'retire:emptied',
  'retire:key-removed',
  'update:retired',
] as const;

/** A moment's name. */
export type CrashPoint =
  | (typeof CRASH_POINTS | typeof ONE_WAY_CRASH_POINTS | typeof RETIRE_CRASH_POINTS)[number]
  // of a release that brings the updater's own program: laid down, tried between probation and commit
  | 'update:program-unpacked'
  | 'update:trial'
  | 'update:program-laid'
  | 'update:program-confirmed'
  | 'update:drained'
  | 'update:summing-up'
  | 'update:summed-up';

/** Says that a moment has come. Synchronous: a listener that kills the process does so exactly here. */
export function crashPoint(name: CrashPoint): void {
  points.publish({ name });
}
