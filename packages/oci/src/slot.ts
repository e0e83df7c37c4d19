/** A folder that layers are laid down in, and how. */
import type { TreeFolder } from './file-tree.js';
import { DEFAULT_UNPACK_LIMITS, type UnpackLimits } from './limits.js';
import type { AbsoluteLinks } from './safe-path.js';
import { readTree } from './slot-disk.js';
import { unsafe } from './tar-header.js';
import { type Budget, newBudget } from './tar-reader.js';
import { openTwins, type TwinFolder, type TwinUse } from './twin-file.js';

/** How to unpack; what is left out takes the safe default. */
export interface UnpackOptions {
  readonly limits?: UnpackLimits;
  /** Entries with setuid, setgid or file capabilities: refused, or laid down without them. Default `refuse`. */
  readonly setuid?: 'refuse' | 'strip';
  /** Permissions: those of the archive, or one of the two that we pack with: 0644, and 0755 for folders and programs. Default `packed`. */
  readonly modes?: 'packed' | 'two';
  /** Symbolic links with an absolute target: refused, or made relative to the root. Default `refuse`. */
  readonly absoluteLinks?: AbsoluteLinks;
  /** A folder with an earlier version. With `link` nobody may write into it: files that are the same in both get a second name. */
  readonly twins?: { readonly dir: string; readonly use: TwinUse };
}

/** A folder being filled layer by layer, and what is known to be in it. */
export interface Slot {
  readonly dir: string;
  readonly tree: TreeFolder;
  readonly limits: UnpackLimits;
  readonly setuid: 'refuse' | 'strip';
  readonly modes: 'packed' | 'two';
  readonly absoluteLinks: AbsoluteLinks;
  readonly twins: TwinFolder | undefined;
  readonly budget: Budget;
  /** Number of the layer now being laid down; 0 is what was there before. */
  layer: number;
  laidDown: number;
}

/** Opens a slot over a folder and what it holds; the folder is made if need be. Nobody else may write there meanwhile. */
export function openSlot(dir: string, options: UnpackOptions = {}): Slot {
  return {
    dir,
    tree: readTree(dir),
    limits: options.limits ?? DEFAULT_UNPACK_LIMITS,
    setuid: options.setuid ?? 'refuse',
    modes: options.modes ?? 'packed',
    absoluteLinks: options.absoluteLinks ?? 'refuse',
    twins: options.twins === undefined ? undefined : openTwins(options.twins.dir, options.twins.use),
    budget: newBudget(),
    layer: 0,
    laidDown: 0,
  };
}

/** Counts an entry that is laid down. @throws OciError `CONTENT_UNSAFE` */
export function count(slot: Slot): void {
  slot.laidDown += 1;
  if (slot.laidDown > slot.limits.maxEntries) throw unsafe('unpack', `at most ${slot.limits.maxEntries} entries`, 'more');
}

/** Where a path of the tree lies. Components are plain names: there is nothing to resolve. */
export const onDisk = (slot: Slot, path: readonly string[]): string => `${slot.dir}/${path.join('/')}`;
