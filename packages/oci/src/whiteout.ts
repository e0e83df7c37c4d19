/** Whiteouts (OCI layer.md): what one layer hides of those below it. */
import { nodeAt, removeChild, untouchedBelow } from './file-tree.js';
import type { IndexedEntry } from './layer-index.js';
import { shown } from './safe-path.js';
import { count, onDisk, type Slot } from './slot.js';
import { removeEntry } from './slot-disk.js';
import { unsafe } from './tar-header.js';

/** What names of whiteouts begin with. */
export const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** Hides what lower layers laid down, never what this one does. */
export function whiteOut(slot: Slot, entry: IndexedEntry, folder: readonly string[], name: string): void {
  const hidden = name.slice(WHITEOUT.length);
  const nameable = name === OPAQUE || !(hidden === '' || hidden === '.' || hidden === '..' || hidden.startsWith(WHITEOUT));
  if (!nameable || entry.kind !== 'file' || entry.sizeBytes !== 0) {
    throw unsafe(
      `apply whiteout ${shown(entry.name)}`,
      'an empty file that names an entry beside it',
      `${entry.kind} of ${entry.sizeBytes} bytes`,
    );
  }
  count(slot);
  refuseLinkOnTheWay(slot, folder);
  const whole = name === OPAQUE ? folder : [...folder, hidden];
  const node = nodeAt(slot.tree, whole);
  if (node === undefined) return; // a whiteout of nothing
  const gone = node.layer < slot.layer && name !== OPAQUE ? [whole] : node.kind === 'dir' ? untouchedBelow(node, slot.layer, whole) : [];
  for (const path of gone) {
    const parent = nodeAt(slot.tree, path.slice(0, -1));
    if (parent?.kind === 'dir') removeChild(parent, path.at(-1) ?? '');
    removeEntry(onDisk(slot, path));
  }
}

/** A missing folder hides nothing; a link on the way could hide something outside. */
function refuseLinkOnTheWay(slot: Slot, folder: readonly string[]): void {
  folder.forEach((_, depth) => {
    const node = nodeAt(slot.tree, folder.slice(0, depth + 1));
    if (node !== undefined && node.kind !== 'dir')
      throw unsafe(`apply a whiteout below ${shown(folder.join('/'))}`, 'folders', `a ${node.kind}`);
  });
}
