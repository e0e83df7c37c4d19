/**
 * What was found beside the release: told to people at once, and to the fleet by the next receipt. Kept in a file of its own: it is news, not a state
 * that anything is decided by, and a crash at worst tells it twice.
 */
import { type Check, type ErrorCode, ERRORS, type JsonObject, type JsonValue, SiteError } from '@sealane/core';
import type { Disk } from '../disk.js';
import type { SlotOnDisk, Stray } from '../drivers/driver.js';
import { UNREAD } from '../drivers/permitted-images.js';
import { durableWrite } from '../durable-write.js';
import { readSealed, sealed } from '../sealed-file.js';
import type { Site } from '../site.js';
import { damagedSlot, programPlace } from '../self/slots.js';
import { slotOf } from './slot-watch.js';
import type { SiteState } from './state.js';

/** A stray as it is remembered: since when, whether a receipt has told it, whether it was there at the last look. */
export interface StrayNote extends Stray {
  readonly since: string;
  readonly isTold: boolean;
  readonly isThere: boolean;
}

/** A host with more has another problem; the rest is found when these are gone. */
const MAX_NOTES = 64;

/** What a program of the updater is called here, and what to do about one that is damaged. */
const PROGRAM = 'program of the updater';
const DAMAGED =
  'look after the disk of this host; the next release that brings an updater ends this, and so does installing the package anew';
const MAKE_ANEW = 'have a release made whose manifests are read here, and promoted, before this host is restarted or its workload stopped';

/** Before a release is made ready: the engine may take it. `now` is trusted time. @throws SiteError `DRIVER_NOT_READY` */
export async function permitUnderWay(site: Site, state: SiteState, now: string): Promise<void> {
  const { world, folder } = site;
  const found = (await site.driver.permit?.(keptSlots(site, state))) ?? [];
  if (found.length === 0) return;
  const known = readStrays(world.disk, folder.strays);
  const isNew = ({ what }: Stray): boolean => !known.some((note) => note.what === what && !note.isTold);
  const news = found.filter(isNew).map((stray) => ({ ...stray, since: now, isTold: false, isThere: false }));
  for (const { what, how, did } of news) world.talk(`${what}: ${how}; ${did}`);
  write(world.disk, folder.strays, [...known, ...news].slice(-MAX_NOTES));
}

/** The releases that may run: those that are kept, and the one under way. */
function keptSlots({ folder }: Site, { current, kept, phase }: SiteState): readonly SlotOnDisk[] {
  const target = 'target' in phase && phase.target !== null ? [{ ...slotOf(folder, phase.target), isNew: true as const }] : [];
  const committed = [...(current === null ? [] : [current]), ...kept].map((slot) => slotOf(folder, slot));
  // one that goes in again is none that is new
  return [...new Map<string, SlotOnDisk>([...target, ...committed].map((slot) => [slot.release, slot])).values()];
}

/** Why a driver could not look. */
const NOT_LOOKED: readonly ErrorCode[] = ['DRIVER_NOT_READY', 'DRIVER_REFUSED', 'HEALTH_FAILED'];

/** One look at a site at rest. What cannot be looked at now is looked at by the next update: whatever this one was about has been done. `now` is trusted time. */
export async function watchStrays(site: Site, state: SiteState, now: string): Promise<void> {
  const { world, folder, driver } = site;
  if (state.current === null || !['idle', 'admitted', 'staged'].includes(state.phase.at)) return;
  const found: Stray[] = [...damagedProgram(site)];
  const known = readStrays(world.disk, folder.strays);
  try {
    const slots = keptSlots(site, state);
    if (driver.strays !== undefined) found.push(...((await driver.permit?.(slots)) ?? []));
    found.push(...((await driver.strays?.(slots)) ?? []));
  } catch (error) {
    if (!(error instanceof SiteError) || !NOT_LOOKED.includes(error.code)) throw error;
    world.talk(error.message);
    // what was there is not known to be gone
    found.push(...known.filter(({ what, did, isThere }) => isThere && did === 'reported' && !found.some((stray) => stray.what === what)));
  }
  const next = strayNotes(known, found, now);
  for (const { what, how, did, since } of next.filter(({ isThere }) => isThere))
    if (since === now || did !== 'reported') world.talk(`${what}: ${how}; ${did}`);
  if (known.length > 0 || next.length > 0) write(world.disk, folder.strays, next);
}

/** A program of the updater that was given up: what a release brought is not what runs. */
function damagedProgram({ world }: Site): readonly Stray[] {
  const place = programPlace(world.env);
  const slot = place === undefined ? undefined : damagedSlot(world.disk, place);
  if (place === undefined || slot === undefined) return [];
  const runs = place.own === '' ? 'that of the package' : place.own;
  return [{ what: `${PROGRAM} ${slot}`, how: `is damaged on this disk, ${runs} runs in its place`, did: 'reported' }];
}

/** What is remembered after a look that found `found`: what is there, and what no receipt has told yet. */
export function strayNotes(known: readonly StrayNote[], found: readonly Stray[], now: string): readonly StrayNote[] {
  const here = found.map((stray): StrayNote => {
    const before = known.find(({ what, did }) => what === stray.what && did === stray.did);
    return { ...stray, since: before?.since ?? now, isTold: before?.isTold ?? false, isThere: true };
  });
  const gone = known.filter(({ what, did, isTold }) => !isTold && !here.some((note) => note.what === what && note.did === did));
  return [...here, ...gone.map((note) => ({ ...note, isThere: false }))].slice(0, MAX_NOTES);
}

/** What was found; nothing where nothing ever was. @throws SiteError `STATE_CORRUPT` */
export function readStrays(disk: Disk, file: string): readonly StrayNote[] {
  const notes = readSealed(disk, file)?.['notes'] ?? [];
  if (!Array.isArray(notes)) throw corrupt(file);
  return notes.map((note: JsonValue) => noteOf(note, file));
}

/** A receipt has told what was not told yet. */
export function markTold(disk: Disk, file: string): void {
  const notes = readStrays(disk, file);
  if (notes.some(({ isTold }) => !isTold))
    write(
      disk,
      file,
      notes.filter(({ isThere }) => isThere).map((note) => ({ ...note, isTold: true })),
    );
}

/** Whether it was there at the last look, and nobody has dealt with it. */
export function isOpenStray({ isThere, did }: StrayNote): boolean {
  return isThere && did === 'reported';
}

/** What a receipt, or a look at the site, says of a stray. */
export function strayCheck({ what, how, did, since }: StrayNote): Check {
  return {
    id: 'strays',
    verdict: 'fail',
    expected: 'nothing beside the release',
    actual: `${what}: ${how}; ${did}, seen first ${since}`,
    remedy: remedyFor(what),
    evidence: [],
    code: 'WORKLOAD_STRAY',
  };
}

function remedyFor(what: string): string {
  if (what.startsWith(`${PROGRAM} `)) return DAMAGED;
  return what.startsWith(`${UNREAD} `) ? MAKE_ANEW : ERRORS.WORKLOAD_STRAY.hint;
}

function write(disk: Disk, file: string, notes: readonly StrayNote[]): void {
  durableWrite(disk, file, sealed({ notes: notes.map((note): JsonObject => ({ ...note })) }));
}

function noteOf(value: JsonValue, file: string): StrayNote {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt(file);
  const { what, how, did, since, isTold, isThere } = value as JsonObject;
  if (typeof what !== 'string' || typeof how !== 'string' || typeof since !== 'string') throw corrupt(file);
  if ((did !== 'reported' && did !== 'stopped' && did !== 'put back') || typeof isTold !== 'boolean' || typeof isThere !== 'boolean')
    throw corrupt(file);
  return { what, how, did, since, isTold, isThere };
}

function corrupt(file: string): SiteError {
  return new SiteError('STATE_CORRUPT', `read ${file}: expected what was found beside the release`, { path: file });
}
