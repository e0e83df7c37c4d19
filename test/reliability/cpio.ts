/** Archives that a Linux kernel unpacks as its first root (cpio, format `newc`: Documentation/driver-api/early-userspace/buffer-format). */

/** What goes in: a folder, a link, or a file, by its path from the root. Folders above it are made. */
export interface CpioEntry {
  readonly path: string;
  readonly mode: number;
  /** Of a file, or the target of a link; none of a folder. */
  readonly bytes: Uint8Array;
}

const FOLDER = 0o040755;
const LINK = 0o120777;
const FILE = 0o100000;

/** A file with its permission bits. */
export function file(path: string, bytes: Uint8Array | string, mode = 0o644): CpioEntry {
  return { path, mode: FILE | mode, bytes: Buffer.from(bytes) };
}

/** A symbolic link. */
export function link(path: string, target: string): CpioEntry {
  return { path, mode: LINK, bytes: Buffer.from(target) };
}

/** An empty folder. */
export function folder(path: string): CpioEntry {
  return { path, mode: FOLDER, bytes: new Uint8Array() };
}

/** Packs entries, each after the folders that it lies in; of two with one path the first counts. */
export function pack(entries: readonly CpioEntry[]): Uint8Array {
  const all = new Map<string, CpioEntry>();
  for (const entry of entries) {
    const names = entry.path.split('/').filter((name) => name !== '');
    for (let depth = 1; depth < names.length; depth += 1) put(all, folder(names.slice(0, depth).join('/')));
    put(all, { ...entry, path: names.join('/') });
  }
  const parts = [...all.values()].map((entry, number) => record(entry, number + 1));
  return Buffer.concat([...parts, record({ path: 'TRAILER!!!', mode: 0, bytes: new Uint8Array() }, 0)]);
}

function put(all: Map<string, CpioEntry>, entry: CpioEntry): void {
  if (!all.has(entry.path)) all.set(entry.path, entry);
}

function record({ path, mode, bytes }: CpioEntry, inode: number): Uint8Array {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, owner, group, links, time, size, four device numbers, length of the name, no checksum
  const fields = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(head), name])), padded(bytes)]);
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
