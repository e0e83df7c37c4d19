/**
 * Lays down tar layers in a folder, safely: OCI image-spec 1.1 layer.md, with every entry that could leave the folder, raise
 * rights or mean two things refused.
 *
 * Where an entry goes is decided on a tree in memory (`file-tree.ts`): parents must be real folders in it, so no link that an
 * archive laid down is ever followed. Owners are never applied, nor extended attributes.
 */
import { createDigester, type Digest, sha256 } from '@sealane/core';
import { childOf, newTree, nodeAt, setChild, type TreeFolder, type TreeLeaf, type TreeNode } from './file-tree.js';
import { gunzipIfNeeded } from './gunzip.js';
import type { IndexedEntry } from './layer-index.js';
import { safeComponents, safeLinkTarget, shown } from './safe-path.js';
import { count, onDisk, openSlot, type Slot, type UnpackOptions } from './slot.js';
import {
  createFile,
  createFolder,
  createHardLink,
  createSymlink,
  type FileMeta,
  removeEntry,
  setFolderMode,
  writeFile,
} from './slot-disk.js';
import { unsafe } from './tar-header.js';
import { readTar, spendBytes, spendEntry } from './tar-reader.js';
import { createTwin, linkTwin, takeTwin, type TwinFolder } from './twin-file.js';
import { WHITEOUT, whiteOut } from './whiteout.js';

const IMPLIED_FOLDER_MODE = 0o755;

/** Entries of an index between two turns of the event loop: a watchdog is fed there. */
const ENTRIES_PER_TURN = 256;

/**
 * Unpacks one tar, plain or gzip, over what `targetDir` holds (the layer below), which must be a folder of the caller's alone.
 *
 * On any failure the whole of `targetDir` is removed. Not flushed: see `syncTree`.
 *
 * @throws OciError `CONTENT_UNSAFE`; errors of `source` as they are
 */
export async function extractLayer(source: AsyncIterable<Uint8Array>, targetDir: string, options: UnpackOptions = {}): Promise<void> {
  try {
    await applyLayer(openSlot(targetDir, options), gunzipIfNeeded(source));
  } catch (error) {
    removeEntry(targetDir);
    throw error;
  }
}

/**
 * Applies one plain tar to a slot as its next layer. After a failure the slot is half-filled: the caller removes it.
 *
 * `record` is told each entry once it is laid down, files with the digest of their bytes.
 *
 * @throws OciError `CONTENT_UNSAFE`; errors of `tar` as they are
 */
export async function applyLayer(slot: Slot, tar: AsyncIterable<Uint8Array>, record?: (entry: IndexedEntry) => void): Promise<void> {
  slot.layer += 1;
  for await (const { content, whole, ...entry } of readTar(tar, slot.limits, slot.budget)) {
    const file = layDown(slot, entry);
    if (whole !== undefined) {
      if (file !== undefined) unpackWhole(slot, file, whole);
      record?.(entry.kind === 'file' ? { ...entry, digest: sha256(whole) } : entry);
      continue;
    }
    const hashed = record === undefined ? undefined : hashing(content);
    if (file !== undefined) await unpackFile(slot, file, hashed?.content ?? content);
    record?.(hashed === undefined ? entry : { ...entry, digest: hashed.digest() });
  }
}

/**
 * Applies a layer of which an index is at hand, with files of `twins`, each of them hashed. What is not there as it should be is lost in the tree (`lostLayers`), and not on the disk:
 * a later layer may put something else in its place.
 *
 * @throws OciError `CONTENT_UNSAFE`, as the layer itself
 */
export async function replayLayer(slot: Slot, entries: readonly IndexedEntry[], twins: TwinFolder): Promise<void> {
  slot.layer += 1;
  let untilPause = ENTRIES_PER_TURN;
  for (const entry of entries) {
    spendEntry(slot.limits, slot.budget);
    spendBytes(entry.kind, entry.sizeBytes, slot.limits, slot.budget);
    const file = layDown(slot, entry);
    if (file !== undefined && !takeFile(file, entry.digest, twins)) file.leaf.isLost = true;
    untilPause -= 1;
    if (untilPause > 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    untilPause = ENTRIES_PER_TURN;
  }
}

/** A plain file that has its place in the tree, and is to be written. */
interface PlacedFile {
  readonly leaf: TreeLeaf;
  readonly to: string;
  readonly path: readonly string[];
  readonly meta: FileMeta;
  readonly sizeBytes: number;
}

/** Lays down an entry, all but the bytes of a file: those are the caller's to write. */
function layDown(slot: Slot, entry: IndexedEntry): PlacedFile | undefined {
  const path = safeComponents(entry.name, entry.kind === 'dir' ? 'folder' : 'none', slot.limits);
  const mode = allowedMode(slot, entry);
  const name = path.at(-1);
  if (name === undefined) return undefined; // the root itself: its mode is the slot's own business
  if (path.slice(0, -1).some((component) => component.startsWith(WHITEOUT)))
    throw unsafe(`unpack ${shown(entry.name)}`, 'whiteouts as files', 'a folder');
  if (name.startsWith(WHITEOUT)) {
    whiteOut(slot, entry, path.slice(0, -1), name);
    return undefined;
  }

  const parent = realParent(slot, path.slice(0, -1));
  switch (entry.kind) {
    case 'dir':
      layFolder(slot, parent, path, mode);
      return undefined;
    case 'file': {
      const { sizeBytes, modifiedSeconds } = entry;
      return { leaf: placeLeaf(slot, parent, path, 'file'), to: onDisk(slot, path), path, meta: { mode, modifiedSeconds }, sizeBytes };
    }
    case 'symlink': {
      const target = safeLinkTarget(entry.linkTarget, path.length - 1, slot.absoluteLinks, slot.limits);
      placeLeaf(slot, parent, path, 'symlink');
      createSymlink(onDisk(slot, path), target);
      return undefined;
    }
    case 'hardlink': {
      const source = hardLinkSource(slot, entry, path);
      const leaf = placeLeaf(slot, parent, path, 'file');
      if (source.isLost) leaf.isLost = true;
      else createHardLink(onDisk(slot, path), source.existing);
      return undefined;
    }
  }
}

/** At once: a step that is waited for costs as much as a small file. */
function unpackWhole({ twins }: Slot, { to, path, meta }: PlacedFile, whole: Uint8Array): void {
  if (twins === undefined || !linkTwin(to, meta, whole, twins, path)) writeFile(to, meta, [whole]);
}

async function unpackFile({ twins }: Slot, { to, path, meta, sizeBytes }: PlacedFile, content: AsyncIterable<Uint8Array>): Promise<void> {
  await (twins === undefined ? createFile(to, meta, content) : createTwin(to, meta, content, twins, path, sizeBytes));
}

function takeFile({ to, path, meta, sizeBytes }: PlacedFile, digest: Digest | undefined, twins: TwinFolder): boolean {
  if (sizeBytes > 0) return digest !== undefined && takeTwin(to, meta, { digest, sizeBytes }, twins, path);
  writeFile(to, meta, []);
  return true;
}

/** The content as it is, and its digest once it was read. */
function hashing(content: AsyncIterable<Uint8Array>): { content: AsyncIterable<Uint8Array>; digest: () => Digest } {
  const digester = createDigester();
  async function* passed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      digester.update(chunk);
      yield chunk;
    }
  }
  return { content: passed(), digest: digester.finish };
}

/** The mode to apply: permissions, and the sticky bit of folders. Links have none. */
function allowedMode(slot: Slot, entry: IndexedEntry): number {
  const doing = (): string => `unpack ${shown(entry.name)}`;
  // Go before 1.9, and so images of those years, wrote the file type above the permissions, as stat does: 16 bits in all.
  if (entry.mode > 0o177777) throw unsafe(doing(), 'a mode of at most 0177777', `0${entry.mode.toString(8)}`);
  if ((entry.mode & 0o6000) !== 0 && slot.setuid === 'refuse')
    throw unsafe(doing(), 'no setuid or setgid', `mode 0${entry.mode.toString(8)}`);
  if (entry.capability && slot.setuid === 'refuse') throw unsafe(doing(), 'no file capabilities', 'security.capability');
  if (slot.modes === 'two') return entry.kind === 'dir' || (entry.mode & 0o111) !== 0 ? 0o755 : 0o644;
  return entry.mode & (entry.kind === 'dir' ? 0o1777 : 0o777);
}

/** The folder at `path`, made where it is missing. A link or file on the way is refused, whichever layer laid it down. */
function realParent(slot: Slot, path: readonly string[]): TreeFolder {
  let folder = slot.tree;
  folder.layer = slot.layer;
  for (const [depth, name] of path.entries()) {
    let child: TreeNode | undefined = childOf(folder, name);
    if (child === undefined) {
      child = { ...newTree(), name };
      setChild(folder, child);
      count(slot);
      createFolder(onDisk(slot, path.slice(0, depth + 1)), IMPLIED_FOLDER_MODE);
    }
    if (child.kind !== 'dir') throw unsafe(`unpack below ${shown(path.slice(0, depth + 1).join('/'))}`, 'a folder', `a ${child.kind}`);
    child.layer = slot.layer;
    folder = child;
  }
  return folder;
}

/** A folder may come again, and takes the place of a lower layer's file or link. */
function layFolder(slot: Slot, parent: TreeFolder, path: readonly string[], mode: number): void {
  const name = path.at(-1) ?? '';
  const present = childOf(parent, name);
  count(slot);
  if (present?.kind === 'dir') {
    present.layer = slot.layer;
    return setFolderMode(onDisk(slot, path), mode);
  }
  clearPlace(slot, parent, path);
  setChild(parent, { ...newTree(), name, layer: slot.layer });
  createFolder(onDisk(slot, path), mode);
}

function placeLeaf(slot: Slot, parent: TreeFolder, path: readonly string[], kind: TreeLeaf['kind']): TreeLeaf {
  count(slot);
  clearPlace(slot, parent, path);
  const leaf = { kind, name: path.at(-1) ?? '', layer: slot.layer };
  setChild(parent, leaf);
  return leaf;
}

/** Removes what a lower layer has at `path`; what this very layer laid down or touched stays, and a second one is refused. */
function clearPlace(slot: Slot, parent: TreeFolder, path: readonly string[]): void {
  const present = childOf(parent, path.at(-1) ?? '');
  if (present === undefined) return;
  if (present.layer === slot.layer) throw unsafe(`unpack ${shown(path.join('/'))}`, 'each name once in an archive', 'the same name again');
  removeEntry(onDisk(slot, path));
}

/** The file that a hard link names: laid down already, a plain file, found without following any link. */
function hardLinkSource(slot: Slot, entry: IndexedEntry, path: readonly string[]): { readonly existing: string; readonly isLost: boolean } {
  const target = safeComponents(entry.linkTarget, 'none', slot.limits);
  const doing = `unpack hard link ${shown(entry.name)}`;
  const node = nodeAt(slot.tree, target);
  if (node?.kind !== 'file') throw unsafe(doing, 'a file laid down before', shown(entry.linkTarget));
  if (target.join('/') === path.join('/')) throw unsafe(doing, 'another file', 'itself');
  return { existing: onDisk(slot, target), isLost: node.isLost === true };
}
