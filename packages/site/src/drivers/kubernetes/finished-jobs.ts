/**
 * Jobs of the running release that were seen complete, `run/kubernetes-jobs.json`: a cluster may collect them (`ttlSecondsAfterFinished`), and what has done its work
 * is then neither missed nor made again.
 */
import type { Digest, JsonObject } from '@sealane/core';
import { fieldOf } from '../../tool-json.js';
import type { DriverWorld, SlotOnDisk } from '../driver.js';
import { slotRecordFile } from '../slot-record.js';

/** Shortest that an ended job stays there (seconds): many looks, so that it is seen how it ended. */
const SEEN_SECONDS = 600;

/** What is known of them. */
export interface FinishedJobs {
  /** Those of this release, as texts of their keys. */
  of(slot: SlotOnDisk): readonly string[];
  /** Remembers them for as long as this process lives: who only looks writes nothing. */
  saw(slot: SlotOnDisk, jobs: readonly string[]): void;
  /** Writes down what was seen. */
  keep(slot: SlotOnDisk): void;
  /** This release makes its own, whatever others have done. */
  forgetOthers(slot: SlotOnDisk): void;
}

/** The record in the state folder. */
export function finishedJobs(world: DriverWorld): FinishedJobs {
  const record = slotRecordFile(world, 'kubernetes-jobs');
  const seen = new Map<Digest, readonly string[]>();
  const written = (slot: SlotOnDisk): readonly string[] => {
    const known = record.read();
    return known?.slot.release === slot.release ? known.more : [];
  };
  const of = (slot: SlotOnDisk): readonly string[] => [...new Set([...written(slot), ...(seen.get(slot.release) ?? [])])];
  return {
    of,
    saw: (slot, jobs) => {
      if (jobs.length > 0) seen.set(slot.release, [...(seen.get(slot.release) ?? []), ...jobs.filter((job) => !of(slot).includes(job))]);
    },
    keep: (slot) => {
      const all = of(slot);
      if (all.length > written(slot).length) record.write(slot, all);
    },
    forgetOthers: ({ release }) => {
      for (const other of seen.keys()) if (other !== release) seen.delete(other);
      const known = record.read();
      if (known !== undefined && known.slot.release !== release) record.remove();
    },
  };
}

/** A document whose job, if it is one, stays after its end for as long as it takes to see that. */
export function withSeenEnd(document: unknown): unknown {
  const spec = fieldOf(document, 'spec');
  const seconds = fieldOf(spec, 'ttlSecondsAfterFinished');
  if (fieldOf(document, 'kind') !== 'Job' || typeof seconds !== 'number' || seconds >= SEEN_SECONDS) return document;
  return { ...(document as JsonObject), spec: { ...(spec as JsonObject), ttlSecondsAfterFinished: SEEN_SECONDS } };
}
