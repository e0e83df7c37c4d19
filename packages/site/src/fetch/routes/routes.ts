/** The routes of one sync or flush: what is known of each place, kept in a small file beside the mirror, and what this run learns. */
import { type JsonObject, type JsonValue, SealaneError } from '@sealane/core';
import path from 'node:path';
import type { Clock } from '../../clock.js';
import type { Disk } from '../../disk.js';
import { durableWrite } from '../../durable-write.js';
import { readSealed, sealed } from '../../sealed-file.js';
import {
  dueAgain,
  type Health,
  healthOf,
  inOrder,
  type LeftFor,
  leftToSpend,
  NO_ROUTES,
  onlyPlaces,
  pausedSeconds,
  type RouteEvent,
  type RoutesState,
  sinceBoot,
  step,
} from './health.js';
import type { Place } from './place.js';

/** Name of the file in the mirror's folder. */
const ROUTES_FILE = 'routes.json';

/** More than any configuration names: what an older one named is forgotten then. */
const MAX_PLACES = 64;

/** What routes need of the outside. `random` gives 0–1. */
export interface RoutesWorld {
  readonly disk: Disk;
  readonly clock: Pick<Clock, 'uptimeSeconds' | 'bootId'>;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** What one run knows and learns. */
export interface Routes {
  /** Places in the order in which they are tried, without those that failed in this run. */
  order(places: readonly Place[]): readonly Place[];
  /** Places that were left, are due, and were not used in this run. */
  due(places: readonly Place[]): readonly Place[];
  served(at: string): void;
  failed(at: string, why: LeftFor): void;
  /** It works, and asked to be sent nothing for so long. */
  pause(at: string, seconds: number): void;
  /** For how much longer it asked to be sent nothing. */
  pausedSeconds(at: string): number;
  took(at: string, bytes: number, seconds: number): void;
  /** All that went over the wire to a place in this run: what `took` has not counted counts now. */
  carried(at: string, wireBytes: number): void;
  bytesPerSecond(at: string): number;
  leftToSpend(place: Place): number;
  /** Keeps what was learnt. `named`: the places of this run. */
  save(named: readonly string[]): void;
}

/** Opens the routes of the mirror in `folder`. `day` is today (`2026-11-28`), `pollSeconds` the measure of waits; `before` what is known, by default what the file says. */
export function openRoutes(
  folder: string,
  world: RoutesWorld,
  day: string,
  pollSeconds: number,
  before = readRoutes(world.disk, path.join(folder, ROUTES_FILE)),
): Routes {
  const file = path.join(folder, ROUTES_FILE);
  let state = sinceBoot(before, world.clock.bootId());
  const failed = new Set<string>();
  const blamed = new Set<string>();
  const served = new Set<string>();
  const counted = new Map<string, number>();
  const see = (event: RouteEvent): void => {
    state = step(state, event, pollSeconds);
  };
  return {
    order: (places) => inOrder(state, places).filter(({ at }) => !failed.has(at)),
    due: (places) => dueAgain(state, places, world.clock.uptimeSeconds()).filter(({ at }) => !blamed.has(at) && !served.has(at)),
    // one run is one good answer, however much it took
    served: (at) => {
      if (served.has(at) || blamed.has(at)) return;
      served.add(at);
      see({ is: 'served', at, now: world.clock.uptimeSeconds() });
    },
    failed: (at, why) => {
      // who is interrupted learns nothing about anybody
      if (blamed.has(at) || world.signal.aborted) return;
      blamed.add(at);
      // one that has a file wrong may have the next one right, where no other has it
      if (why !== 'wrong') failed.add(at);
      see({ is: 'failed', at, why, now: world.clock.uptimeSeconds(), jitter: world.random() });
    },
    pause: (at, seconds) => see({ is: 'paused', at, seconds, now: world.clock.uptimeSeconds(), jitter: world.random() }),
    pausedSeconds: (at) => pausedSeconds(state, at, world.clock.uptimeSeconds()),
    took: (at, bytes, seconds) => {
      counted.set(at, (counted.get(at) ?? 0) + bytes);
      see({ is: 'took', at, day, bytes, seconds });
    },
    carried: (at, wireBytes) => see({ is: 'took', at, day, bytes: Math.max(0, wireBytes - (counted.get(at) ?? 0)), seconds: 0 }),
    bytesPerSecond: (at) => healthOf(state, at).bytesPerSecond,
    leftToSpend: (place) => leftToSpend(state, place, day),
    save: (named) => {
      const kept = Object.keys(state.places).length > MAX_PLACES ? onlyPlaces(state, named) : state;
      if (JSON.stringify(kept) === JSON.stringify(before)) return;
      world.disk.makeFolder(folder, 0o755);
      durableWrite(world.disk, file, sealed(kept), 0o644);
    },
  };
}

/** What the file says; damaged it says nothing, which costs a few tries and the count of one day. */
function readRoutes(disk: Disk, file: string): RoutesState {
  try {
    const { bootId, places } = readSealed(disk, file) ?? {};
    if (typeof bootId !== 'string' || !isObject(places)) return NO_ROUTES;
    return { bootId, places: Object.fromEntries(Object.entries(places).flatMap(([at, value]) => (isHealth(value) ? [[at, value]] : []))) };
  } catch (error) {
    if (error instanceof SealaneError) return NO_ROUTES;
    throw error;
  }
}

function isHealth(value: JsonValue | undefined): value is Health {
  if (!isObject(value)) return false;
  const numbers = [value['level'], value['good'], value['dueAt'], value['bytesPerSecond'], value['spentBytes'], value['pausedUntil'] ?? 0];
  const isLeft = value['left'] === null || ['unreachable', 'slow', 'wrong'].some((word) => word === value['left']);
  return isLeft && typeof value['day'] === 'string' && numbers.every((number) => typeof number === 'number' && number >= 0);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
