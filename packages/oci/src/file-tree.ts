/**
 * What has been laid down below a root, in memory: the only thing that decides where an entry may go.
 *
 * The disk is never asked, so no link on it can be followed. Each node knows the layer that last touched it, because one
 * layer may replace what a lower one laid down, but never what itself did.
 */
import { foldedName, shown } from './safe-path.js';
import { unsafe } from './tar-header.js';

/** A node that holds other nodes; `layer` is the number of the last layer that touched it or anything below it. */
export interface TreeFolder {
  readonly kind: 'dir';
  readonly children: Map<string, TreeNode>;
  layer: number;
}

/** A file or a symbolic link. */
export interface TreeLeaf {
  readonly kind: 'file' | 'symlink';
  readonly layer: number;
  /** Its bytes could not be had: on the disk there is nothing yet. */
  isLost?: true;
}

/** Anything in the tree. Children are kept under their folded name, with the real one beside. */
export type TreeNode = (TreeFolder | TreeLeaf) & { readonly name: string };

/** An empty root, laid down by no layer. */
export function newTree(): TreeFolder {
  return { kind: 'dir', children: new Map(), layer: 0 };
}

/** The child of exactly that name, if any. */
export function childOf(folder: TreeFolder, name: string): TreeNode | undefined {
  const child = folder.children.get(foldedName(name));
  return child?.name === name ? child : undefined;
}

/**
 * Puts a node into a folder in place of the child of that name.
 *
 * @throws OciError `CONTENT_UNSAFE` the folder has another child that is the same name on some disks
 */
export function setChild(folder: TreeFolder, node: TreeNode): void {
  const key = foldedName(node.name);
  const present = folder.children.get(key);
  if (present !== undefined && present.name !== node.name) {
    throw unsafe(`unpack ${shown(node.name)}`, 'names that differ by more than case or composition', `also ${shown(present.name)}`);
  }
  folder.children.set(key, node);
}

/** Takes a child out. */
export function removeChild(folder: TreeFolder, name: string): void {
  folder.children.delete(foldedName(name));
}

/** The node at a path, without following links; undefined where a component is missing or no folder. */
export function nodeAt(root: TreeFolder, path: readonly string[]): TreeNode | TreeFolder | undefined {
  let node: TreeNode | TreeFolder | undefined = root;
  for (const name of path) {
    if (node?.kind !== 'dir') return undefined;
    node = childOf(node, name);
  }
  return node;
}

/** Numbers of the layers of which a file is in the tree whose bytes could not be had. */
export function lostLayers(node: TreeNode | TreeFolder): ReadonlySet<number> {
  if (node.kind !== 'dir') return new Set(node.isLost === true ? [node.layer] : []);
  const lost = new Set<number>();
  for (const child of node.children.values()) for (const layer of lostLayers(child)) lost.add(layer);
  return lost;
}

/** Children that `layer` did not touch, wholly below a whiteout: what an opaque folder hides. Walks into those it did touch. */
export function untouchedBelow(folder: TreeFolder, layer: number, at: readonly string[] = []): (readonly string[])[] {
  return [...folder.children.values()].flatMap((child) => {
    const path = [...at, child.name];
    if (child.layer < layer) return [path];
    return child.kind === 'dir' ? untouchedBelow(child, layer, path) : [];
  });
}
