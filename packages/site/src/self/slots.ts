/**
 * Where the updater's own programs lie: that of the package, and those that releases brought, each in a slot of its own beside the others. Which one is
 * started is decided by links and by the launcher, which is of the package and no part of a release: `current` is the program that passed its check,
 * `trial+N` one that may be started N more times. The launcher counts down before it starts it, so that no program can be tried for ever, however broken.
 *
 * `previous` is what was `current` before: what the launcher goes back to, on disk, before it starts anything, when the one that is current is not what was laid
 * down. It says so in a file `damaged`.
 */
import path from 'node:path';
import { equalBytes, SiteError, utf8 } from '@sealane/core';
import type { Disk } from '../disk.js';
import { durableLink, durableWrite, removeWhole } from '../durable-write.js';

/** What the launcher says: where programs lie, which package it is of, which slot this program was started from ('' = the package's own). */
export interface ProgramPlace {
  readonly folder: string;
  readonly packageId: string;
  readonly own: string;
  readonly isOnTrial: boolean;
  /** The slot that was found damaged at this start, and that the launcher could perhaps not give up on disk. */
  readonly damaged?: string;
}

/** What `status` says of it: `runs` is a slot, or `package`; `damaged` the slot that was given up, until a release brings another program. */
export interface UpdaterStatus {
  readonly runs: string;
  readonly onTrial: string | null;
  readonly damaged: string | null;
}

/** A program that waits for its start, or had all of them. `left` = starts that it still has. */
export interface Trial {
  readonly slot: string;
  readonly left: number;
  readonly link: string;
}

/** Starts that a new program has to pass its check in: a power cut takes one of them. */
const TRIES = 3;

const TRIAL = /^trial\+(\d)$/;

/** A slot is named by the digest of the component. */
const SLOT = /^[0-9a-f]{64}$/;

/** Longest identity of a package, and the name of a slot with it. */
const MAX_ID_BYTES = 512;

/** What the launcher writes of a program that it gave up: its slot, and the package that it was laid over. */
const DAMAGED = 'damaged';

/** Link to the program to go back to. */
const PREVIOUS = 'previous';

/** The place of this process; undefined where it was not started by the launcher of a package. */
export function programPlace(env: Readonly<Record<string, string | undefined>>): ProgramPlace | undefined {
  const { SEALANE_PROGRAMS: folder, SEALANE_PACKAGE: packageId, SEALANE_TREE: own = '', SEALANE_ON_TRIAL: trial } = env;
  if (folder === undefined || packageId === undefined) return undefined;
  const { SEALANE_DAMAGED: damaged } = env;
  return { folder, packageId, own, isOnTrial: trial === '1', ...(damaged === undefined ? {} : { damaged }) };
}

/** Where the tree of a slot lies. */
export function treeOf({ folder }: ProgramPlace, slot: string): string {
  return path.join(folder, slot, 'tree');
}

/** The slot of the program that passed its check; '' = that of the package, as long as none was brought since the package was installed. */
export function committedSlot(disk: Disk, place: ProgramPlace): string {
  return slotAt(disk, place, 'current') ?? '';
}

/** The program on trial, if one was laid down over this package. */
export function trialOf(disk: Disk, place: ProgramPlace): Trial | undefined {
  const trials = trialLinks(disk, place).flatMap((link): readonly Trial[] => {
    const slot = slotAt(disk, place, link);
    return slot === undefined ? [] : [{ slot, left: Number(TRIAL.exec(link)?.[1]), link }];
  });
  return trials.sort((one, other) => other.left - one.left)[0];
}

/** Which program this one is, and which one waits to take its place. */
export function updaterStatus(disk: Disk, place: ProgramPlace): UpdaterStatus {
  return {
    runs: place.own === '' ? 'package' : place.own,
    onTrial: trialOf(disk, place)?.slot ?? null,
    damaged: damagedSlot(disk, place) ?? null,
  };
}

/** The program that the launcher gave up because it was damaged, and that no other took the place of since. */
export function damagedSlot(disk: Disk, { folder, packageId, damaged }: ProgramPlace): string | undefined {
  const bytes = disk.read(path.join(folder, DAMAGED), MAX_ID_BYTES);
  const [slot = '', laidOver] = Buffer.from(bytes ?? [])
    .toString()
    .split('\n');
  return SLOT.test(slot) && laidOver === packageId ? slot : damaged;
}

/** Gives the program of a slot its starts. */
export function layTrial(disk: Disk, place: ProgramPlace, slot: string): void {
  dropTrials(disk, place);
  durableWrite(disk, path.join(place.folder, slot, 'package'), utf8(`${place.packageId}\n`), 0o644);
  durableLink(disk, slot, path.join(place.folder, `trial+${TRIES}`));
}

/** The program on trial is the one that is started from now on: one rename. The one before is kept to go back to; that of the package is always there. */
export function confirmTrial(disk: Disk, place: ProgramPlace, { link, slot }: Trial): void {
  const { folder } = place;
  const before = committedSlot(disk, place);
  if (before === '') disk.remove(path.join(folder, PREVIOUS));
  else if (before !== slot && before !== damagedSlot(disk, place)) durableLink(disk, before, path.join(folder, PREVIOUS));
  disk.rename(path.join(folder, link), path.join(folder, 'current'));
  disk.remove(path.join(folder, DAMAGED));
  disk.syncFolder(folder);
}

/** Takes away whatever is on trial. Fine when nothing is. */
export function dropTrials(disk: Disk, place: ProgramPlace): void {
  const links = trialLinks(disk, place);
  for (const link of links) disk.remove(path.join(place.folder, link));
  if (links.length > 0) disk.syncFolder(place.folder);
}

/** Whether the launcher would start another program than this one, or this one without its end being watched for. */
export function isReplaced(disk: Disk, place: ProgramPlace): boolean {
  const trial = trialOf(disk, place);
  if (trial !== undefined && trial.left > 0) return trial.slot !== place.own;
  const committed = committedSlot(disk, place);
  // where the disk takes nothing in, the damaged one is still named
  return place.isOnTrial || (committed !== place.own && committed !== place.damaged);
}

/** Removes slots that no link names; half-made ones too. */
export function pruneProgramSlots(disk: Disk, place: ProgramPlace): void {
  if (slotAt(disk, place, PREVIOUS) === undefined) disk.remove(path.join(place.folder, PREVIOUS));
  const linked = disk.list(place.folder).flatMap((name) => disk.readLink(path.join(place.folder, name)) ?? []);
  const kept = new Set([...linked, place.own]);
  for (const name of disk.list(place.folder))
    if (SLOT.test(name.replace(/\.tmp$/, '')) && !kept.has(name)) removeWhole(disk, path.join(place.folder, name));
}

function trialLinks(disk: Disk, { folder }: ProgramPlace): readonly string[] {
  return disk.list(folder).filter((name) => TRIAL.test(name));
}

/** Where a link points, if that was laid down over this package: who installs another one later is not outdone by what an older one took in. */
function slotAt(disk: Disk, { folder, packageId }: ProgramPlace, link: string): string | undefined {
  const slot = disk.readLink(path.join(folder, link));
  if (slot === undefined) return undefined;
  if (!SLOT.test(slot)) throw new SiteError('STATE_CORRUPT', `read ${path.join(folder, link)}: expected the name of a slot, got ${slot}`);
  const bytes = disk.read(path.join(folder, slot, 'package'), MAX_ID_BYTES);
  return bytes !== undefined && equalBytes(bytes, utf8(`${packageId}\n`)) ? slot : undefined;
}
