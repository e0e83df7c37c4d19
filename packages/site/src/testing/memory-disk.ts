/**
 * A disk in memory for tests: it knows which bytes and names were synced, and `cut` loses all others, as a power cut does.
 * `failAt` makes the n-th changing operation throw; `cutAt` makes it the last one that is carried out.
 */
import path from 'node:path';
import { SiteError } from '@sealane/core';
import type { Disk, PathKind } from '../disk.js';

type Node = { readonly kind: 'file'; bytes: Uint8Array } | { readonly kind: 'link'; readonly target: string } | { readonly kind: 'folder' };

/** Thrown by the operation at which the power is cut. */
export class PowerCut extends Error {}

/** A disk with faults. */
export class MemoryDisk implements Disk {
  /** Names as a running system sees them, and as they are after a power cut. Folders are made durable at once: no test needs more. */
  #live = new Map<string, Node>();
  #durable = new Map<string, Node>();
  operations = 0;
  cutAt = Infinity;
  failAt: { readonly at: number; readonly code: string } | undefined;
  free = 1e12;

  /** Loses what was not synced. */
  cut(): void {
    this.#live = new Map(
      [...this.#durable].map(([name, node]) => [name, node.kind === 'file' ? { kind: 'file', bytes: node.bytes.slice() } : node]),
    );
    this.cutAt = Infinity;
    this.failAt = undefined;
  }

  /** The bytes of a file, as they would be read now. */
  bytes(file: string): Uint8Array | undefined {
    const node = this.#live.get(file);
    return node?.kind === 'file' ? node.bytes : undefined;
  }

  /** Every path there is, sorted. */
  paths(): readonly string[] {
    return [...this.#live.keys()].sort();
  }

  read(file: string, maxBytes: number): Uint8Array | undefined {
    const node = this.#live.get(file);
    if (node === undefined) return undefined;
    if (node.kind !== 'file') throw new SiteError('CONTENT_UNSAFE', `read ${file}: expected a regular file, got a ${node.kind}`);
    if (node.bytes.length > maxBytes) throw new SiteError('FILE_TOO_LARGE', `read ${file}: expected at most ${maxBytes} bytes`);
    return node.bytes.slice();
  }

  readEnd(file: string, maxBytes: number): Uint8Array | undefined {
    return this.read(file, Infinity)?.slice(-maxBytes);
  }

  writeSynced(file: string, bytes: Uint8Array): void {
    this.#change();
    const node: Node = { kind: 'file', bytes: bytes.slice() };
    this.#live.set(file, node);
    // the bytes are synced, the name is not
    if (this.#durable.has(file)) this.#durable.set(file, { kind: 'file', bytes: bytes.slice() });
  }

  createSynced(file: string, bytes: Uint8Array): void {
    if (this.#live.has(file)) throw Object.assign(new Error(`EEXIST: ${file}`), { code: 'EEXIST' });
    this.writeSynced(file, bytes);
  }

  appendSynced(file: string, bytes: Uint8Array): void {
    const before = this.bytes(file) ?? new Uint8Array();
    this.#change();
    this.writeQuietly(file, new Uint8Array([...before, ...bytes]));
  }

  truncateSynced(file: string, sizeBytes: number): void {
    this.#change();
    this.writeQuietly(file, (this.bytes(file) ?? new Uint8Array()).slice(0, sizeBytes));
  }

  rename(from: string, to: string): void {
    this.#change();
    for (const [name, node] of [...this.#live]) {
      if (name !== from && !name.startsWith(`${from}/`)) continue;
      this.#live.delete(name);
      this.#live.set(to + name.slice(from.length), node);
    }
  }

  syncFolder(folder: string): void {
    this.#change();
    const inside = (name: string): boolean => path.dirname(name) === folder || name.startsWith(`${folder}/`);
    for (const name of [...this.#durable.keys()]) if (inside(name) && !this.#live.has(name)) this.#durable.delete(name);
    for (const [name, node] of this.#live) {
      if (inside(name)) this.#durable.set(name, node.kind === 'file' ? { kind: 'file', bytes: node.bytes.slice() } : node);
    }
  }

  symlink(target: string, link: string): void {
    this.#change();
    this.#live.set(link, { kind: 'link', target });
  }

  readLink(link: string): string | undefined {
    const node = this.#live.get(link);
    return node?.kind === 'link' ? node.target : undefined;
  }

  remove(file: string): void {
    for (const name of [...this.#live.keys()]) if (name === file || name.startsWith(`${file}/`)) this.#live.delete(name);
  }

  list(folder: string): readonly string[] {
    const names = this.paths().filter((name) => name.startsWith(`${folder}/`));
    return [...new Set(names.map((name) => name.slice(folder.length + 1).split('/')[0] ?? ''))].sort();
  }

  makeFolder(folder: string): void {
    this.#live.set(folder, { kind: 'folder' });
    this.#durable.set(folder, { kind: 'folder' });
  }

  kind(file: string): PathKind {
    return this.#live.get(file)?.kind ?? 'nothing';
  }

  kindBehind(file: string): PathKind {
    const node = this.#live.get(file);
    return node?.kind === 'link' ? this.kindBehind(path.resolve(path.dirname(file), node.target)) : this.kind(file);
  }

  /** Everything here is its owner's alone. */
  mode(): number {
    return 0o600;
  }

  sizeBytes(file: string): number {
    return this.bytes(file)?.length ?? 0;
  }

  freeBytes(): number {
    return this.free;
  }

  mayWriteIn(): boolean {
    return true;
  }

  /** Sets a file's bytes, live and durable, without counting as an operation: what a test prepares or damages. */
  writeQuietly(file: string, bytes: Uint8Array): void {
    this.#live.set(file, { kind: 'file', bytes });
    this.#durable.set(file, { kind: 'file', bytes: bytes.slice() });
  }

  #change(): void {
    this.operations += 1;
    if (this.failAt?.at === this.operations) throw Object.assign(new Error(`${this.failAt.code}: injected`), { code: this.failAt.code });
    if (this.operations >= this.cutAt) throw new PowerCut();
  }
}
