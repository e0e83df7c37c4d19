/** What a command did to a folder, as operations on files and folders that a disk may keep or lose, from the log of `fs-points.c`. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** A file, folder or link. `bytes` of a file = what was durable when the trace began. */
export interface TraceNode {
  readonly id: number;
  readonly kind: 'file' | 'folder' | 'link';
  readonly mode: number;
  readonly bytes: Uint8Array;
  readonly target: string;
}

/** One change of names, kept or lost as a whole: `node` null = the name is gone. */
export interface EntryOperation {
  readonly is: 'entries';
  readonly call: string;
  readonly changes: readonly { readonly folder: number; readonly name: string; readonly node: number | null }[];
}

/** A change of a file's bytes: a write at an offset, or a new length. */
export interface DataOperation {
  readonly is: 'data';
  readonly file: number;
  readonly offset: number;
  readonly bytes: Uint8Array | null;
}

/** What is flushed: a file's bytes, or a folder's names; `node` null = all that was done before. `path` says it to people. */
export interface SyncOperation {
  readonly is: 'sync';
  readonly node: number | null;
  readonly path: string;
}

export type Operation = EntryOperation | DataOperation | SyncOperation;

/** A folder as it was, and what was done to it, in order. */
export interface Trace {
  readonly root: number;
  readonly nodes: ReadonlyMap<number, TraceNode>;
  /** Folder → name → node, before. */
  readonly before: ReadonlyMap<number, ReadonlyMap<string, number>>;
  readonly operations: readonly Operation[];
}

/** A folder before a command: what of it is durable. Inode numbers tell which file the log means. */
export interface Snapshot {
  readonly root: string;
  readonly rootNode: number;
  readonly nodes: Map<number, TraceNode>;
  readonly entries: Map<number, Map<string, number>>;
  readonly byInode: Map<string, number>;
}

/** Reads a folder whole. */
export function snapshot(root: string): Snapshot {
  const found: Snapshot = { root, rootNode: 0, nodes: new Map(), entries: new Map(), byInode: new Map() };
  const add = (at: string): number => {
    const status = lstatSync(at);
    const known = found.byInode.get(String(status.ino));
    if (known !== undefined) return known;
    const id = found.nodes.size;
    const kind = status.isDirectory() ? 'folder' : status.isSymbolicLink() ? 'link' : 'file';
    found.nodes.set(id, {
      id,
      kind,
      mode: status.mode & 0o7777,
      bytes: kind === 'file' ? new Uint8Array(readFileSync(at)) : new Uint8Array(),
      target: kind === 'link' ? readlinkSync(at) : '',
    });
    found.byInode.set(String(status.ino), id);
    if (kind === 'folder') {
      const names = new Map<string, number>();
      found.entries.set(id, names);
      for (const name of readdirSync(at)) names.set(name, add(path.join(at, name)));
    }
    return id;
  };
  add(root);
  return found;
}

/** Turns a log into operations. @throws Error the log names what it never made */
export function readTrace(before: Snapshot, log: Uint8Array): Trace {
  const nodes = new Map(before.nodes);
  const live = new Map([...before.entries].map(([folder, names]) => [folder, new Map(names)]));
  const byInode = new Map(before.byInode);
  const operations: Operation[] = [];
  const make = (inode: string, kind: TraceNode['kind'], mode: number, target = ''): number => {
    const id = nodes.size;
    nodes.set(id, { id, kind, mode, bytes: new Uint8Array(), target });
    byInode.set(inode, id);
    if (kind === 'folder') live.set(id, new Map());
    return id;
  };
  const place = (file: string): { folder: number; name: string } => {
    const words = path.relative(before.root, file).split('/');
    const name = words.pop() ?? '';
    const folder = words.reduce((at, word) => live.get(at)?.get(word) ?? lost(file), before.rootNode);
    return { folder, name };
  };
  const change = (call: string, changes: EntryOperation['changes']): void => {
    for (const { folder, name, node } of changes) {
      const names = live.get(folder);
      if (node === null) names?.delete(name);
      else names?.set(name, node);
    }
    operations.push({ is: 'entries', call, changes });
  };
  const nodeAt = (file: string): number => {
    const { folder, name } = place(file);
    return live.get(folder)?.get(name) ?? lost(file);
  };
  for (const { words, data } of records(log)) {
    const [call = '', first = '', second = '', third = ''] = words;
    switch (call) {
      case 'create':
        change(call, [{ ...place(first), node: make(second, 'file', parseInt(third, 8)) }]);
        break;
      case 'mkdir':
        change(call, [{ ...place(first), node: make(second, 'folder', 0o755) }]);
        break;
      case 'symlink':
        change(call, [{ ...place(second), node: make(third, 'link', 0o777, first) }]);
        break;
      case 'link':
        change(call, [{ ...place(second), node: nodeAt(first) }]);
        break;
      case 'unlink':
      case 'rmdir':
        change(call, [{ ...place(first), node: null }]);
        break;
      case 'rename':
        change(call, [
          { ...place(second), node: nodeAt(first) },
          { ...place(first), node: null },
        ]);
        break;
      case 'write':
        operations.push({ is: 'data', file: byInode.get(first) ?? lost(first), offset: Number(second), bytes: data });
        break;
      case 'truncate':
        operations.push({ is: 'data', file: byInode.get(first) ?? lost(first), offset: Number(second), bytes: null });
        break;
      case 'fsync':
        operations.push({ is: 'sync', node: byInode.get(first) ?? lost(first), path: path.relative(before.root, second) });
        break;
      case 'syncfs':
        operations.push({ is: 'sync', node: null, path: `all below ${path.relative(before.root, first)}` });
        break;
      case 'chmod': {
        // rights are taken as kept: recovery runs as their owner
        const node = nodes.get(byInode.get(first) ?? lost(first));
        if (node !== undefined) nodes.set(node.id, { ...node, mode: parseInt(second, 8) });
        break;
      }
      case 'nothing':
        break;
      default:
        lost(call);
    }
  }
  return { root: before.rootNode, nodes, before: before.entries, operations };
}

/** The records of a log: the words of each, and its data. */
export function* records(log: Uint8Array): Generator<{ words: readonly string[]; data: Uint8Array }> {
  const bytes = Buffer.from(log.buffer, log.byteOffset, log.byteLength);
  let at = 0;
  const next = (): Uint8Array => {
    const size = bytes.readUInt32LE(at);
    const part = bytes.subarray(at + 4, at + 4 + size);
    at += 4 + size;
    return part;
  };
  while (at < bytes.length) {
    const words = Buffer.from(next()).toString('utf8').split('\t');
    yield { words, data: new Uint8Array(next()) };
  }
}

function lost(what: string): never {
  throw new Error(`read the log of calls: expected what was made before, got ${what}`);
}
