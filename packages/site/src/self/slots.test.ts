import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryDisk, PowerCut } from '../testing/memory-disk.js';
import {
  committedSlot,
  confirmTrial,
  dropTrials,
  isReplaced,
  layTrial,
  type ProgramPlace,
  programPlace,
  pruneProgramSlots,
  trialOf,
  updaterStatus,
} from './slots.js';

const [OLD, NEW] = ['a'.repeat(64), 'b'.repeat(64)] as const;
const place = (own: string, isOnTrial = false): ProgramPlace => ({ folder: '/programs', packageId: '1.0', own, isOnTrial });
const old = place(OLD);

/** The old program runs, and the tree of the new one lies beside it. */
function twoSlots(): MemoryDisk {
  const disk = new MemoryDisk();
  for (const slot of [OLD, NEW]) disk.makeFolder(`/programs/${slot}/tree`);
  layTrial(disk, place(''), OLD);
  confirmTrial(disk, place(''), trial(disk, place('')));
  return disk;
}

function trial(disk: MemoryDisk, at: ProgramPlace): NonNullable<ReturnType<typeof trialOf>> {
  const found = trialOf(disk, at);
  if (found === undefined) throw new Error('look for a trial: expected one, got none');
  return found;
}

/** What the launcher does with a program on trial. */
function countDown(disk: MemoryDisk): void {
  const { left } = trial(disk, old);
  disk.rename(`/programs/trial+${left}`, `/programs/trial+${left - 1}`);
}

test('a new program is started instead of the old one until it took its place, and its own end is watched for until then', () => {
  const disk = twoSlots();
  expect(isReplaced(disk, old)).toBe(false);
  layTrial(disk, old, NEW);
  expect(trialOf(disk, old)).toMatchObject({ slot: NEW, left: 3 });
  expect(isReplaced(disk, old)).toBe(true);
  countDown(disk);
  expect(isReplaced(disk, place(NEW, true))).toBe(false);
  expect(updaterStatus(disk, place(NEW, true))).toEqual({ runs: NEW, onTrial: NEW, damaged: null });
  confirmTrial(disk, place(NEW, true), trial(disk, old));
  expect(committedSlot(disk, old)).toBe(NEW);
  expect({ onTrial: isReplaced(disk, place(NEW, true)), after: isReplaced(disk, place(NEW)) }).toEqual({ onTrial: true, after: false });
});

test('one without a start left leaves the old program where it is', () => {
  const disk = twoSlots();
  layTrial(disk, old, NEW);
  for (let times = 1; times <= 3; times += 1) countDown(disk);
  expect(trialOf(disk, old)).toMatchObject({ slot: NEW, left: 0 });
  expect(isReplaced(disk, old)).toBe(false);
  dropTrials(disk, old);
  expect({ trial: trialOf(disk, old), committed: committedSlot(disk, old) }).toEqual({ trial: undefined, committed: OLD });
});

test('what was laid down over another package counts no more: neither what passed its check nor what is on trial', () => {
  const disk = twoSlots();
  layTrial(disk, old, NEW);
  const later = { ...place(''), packageId: '2.0' };
  expect({ trial: trialOf(disk, later), committed: committedSlot(disk, later) }).toEqual({ trial: undefined, committed: '' });
  expect(isReplaced(disk, later)).toBe(false);
  layTrial(disk, later, NEW);
  expect(trialOf(disk, later)).toMatchObject({ slot: NEW, left: 3 });
});

test('a link that names no slot is damage, not a program', () => {
  const disk = twoSlots();
  disk.remove('/programs/current');
  disk.symlink('../../tmp/mine', '/programs/current');
  expect(() => committedSlot(disk, old)).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
});

test('slots that nothing names are removed, half-made ones too; what is on trial, current or running stays', () => {
  const disk = twoSlots();
  layTrial(disk, old, NEW);
  const others = ['c'.repeat(64), `${'d'.repeat(64)}.tmp`];
  for (const name of others) disk.makeFolder(`/programs/${name}/tree`);
  pruneProgramSlots(disk, old);
  expect(disk.list('/programs')).toEqual([OLD, NEW, 'current', 'trial+3']);
  dropTrials(disk, old);
  pruneProgramSlots(disk, place(NEW));
  expect(disk.list('/programs'), 'the one that runs').toContain(NEW);
});

/** What the launcher does with a program that is not what was laid down. */
function giveUp(disk: MemoryDisk, slot: string): void {
  disk.writeSynced('/programs/damaged', new TextEncoder().encode(`${slot}\n1.0\n`));
  disk.rename('/programs/previous', '/programs/current');
}

test('the program before is kept to go back to; a damaged one is named until another takes its place, and is never gone back to', () => {
  const disk = twoSlots();
  layTrial(disk, old, NEW);
  confirmTrial(disk, place(NEW, true), trial(disk, old));
  pruneProgramSlots(disk, place(NEW));
  expect(disk.list('/programs')).toEqual([OLD, NEW, 'current', 'previous']);
  giveUp(disk, NEW);
  expect(updaterStatus(disk, old)).toEqual({ runs: OLD, onTrial: null, damaged: NEW });
  pruneProgramSlots(disk, old);
  expect(disk.list('/programs')).toEqual([OLD, 'current', 'damaged']);
  // whoever installs another package has another program
  expect(updaterStatus(disk, { ...place(''), packageId: '2.0' })).toMatchObject({ damaged: null });
  disk.makeFolder(`/programs/${NEW}/tree`);
  layTrial(disk, old, NEW);
  confirmTrial(disk, place(NEW, true), trial(disk, old));
  expect(updaterStatus(disk, place(NEW))).toMatchObject({ damaged: null });
  expect(disk.readLink('/programs/previous')).toBe(OLD);
});

test('a program that takes the place of the package’s, or of a damaged one, has no such program before it', () => {
  const disk = twoSlots();
  expect(disk.kind('/programs/previous')).toBe('nothing');
  disk.writeSynced('/programs/damaged', new TextEncoder().encode(`${OLD}\n1.0\n`));
  layTrial(disk, old, NEW);
  confirmTrial(disk, place(NEW, true), trial(disk, old));
  expect(disk.kind('/programs/previous')).toBe('nothing');
});

test('where the disk takes no note of damage, what runs instead does not end for the damaged one', () => {
  const disk = twoSlots();
  expect(isReplaced(disk, place(''))).toBe(true);
  expect(isReplaced(disk, { ...place(''), damaged: OLD })).toBe(false);
});

test('a power cut at any step leaves the old program or the new one to be started, and the old one until the new one said so', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), (steps) => {
      const disk = twoSlots();
      disk.cutAt = disk.operations + steps;
      let said = false;
      try {
        layTrial(disk, old, NEW);
        const at = trial(disk, old);
        said = true;
        confirmTrial(disk, place(NEW, true), at);
        pruneProgramSlots(disk, place(NEW));
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
      }
      disk.cut();
      const committed = committedSlot(disk, old);
      expect(said ? [OLD, NEW] : [OLD]).toContain(committed);
      expect(disk.kind(`/programs/${committed}/tree`)).toBe('folder');
    }),
  );
});

test('only a launcher says where programs lie', () => {
  expect(programPlace({})).toBeUndefined();
  expect(programPlace({ SEALANE_PROGRAMS: '/programs', SEALANE_PACKAGE: '1.0', SEALANE_TREE: NEW, SEALANE_ON_TRIAL: '1' })).toEqual(
    place(NEW, true),
  );
});
