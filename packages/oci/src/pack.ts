/**
 * Packs tars that depend on nothing but their content: entries sorted by name, no owners, no times, one of two modes.
 * The same folder gives the same tar, and so the same digest, on every machine.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { DEFAULT_UNPACK_LIMITS } from './limits.js';
import { foldedName, safeComponents, safeLinkTarget, shown } from './safe-path.js';
import { unsafe } from './tar-header.js';
import { type NewTarHeader, TAR_END, tarHeader, tarPadding } from './tar-writer.js';
import { boundedStream, lengthError } from './verified-stream.js';

/** An entry to pack; `path` is relative, with slashes. Parent folders are implied. */
export type PackEntry =
  | { readonly kind: 'dir'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly executable: 'yes' | 'no';
      readonly sizeBytes: number;
      /** Called once, when the entry's turn comes. */
      readonly open: () => AsyncIterable<Uint8Array>;
    };

const MODE = { dir: 0o755, symlink: 0o777, file: 0o644, program: 0o755 } as const;
/** zlib's own default: smaller gains beyond cost several times the time. */
const GZIP_LEVEL = 6;
/** RFC 1952, section 2.3: the tenth byte names the system that packed; 255 is "unknown". */
const GZIP_SYSTEM_AT = 9;
const GZIP_SYSTEM_UNKNOWN = 255;

/** A file entry from bytes at hand. */
export function packedFile(path: string, bytes: Uint8Array, executable: 'yes' | 'no' = 'no'): PackEntry {
  return {
    kind: 'file',
    path,
    executable,
    sizeBytes: bytes.length,
    open: () => Readable.from([bytes], { objectMode: true }),
  };
}

/**
 * The tar of `entries`, as a stream. What our own unpacking would refuse is refused here, before a release is made of it.
 *
 * @throws OciError `CONTENT_UNSAFE` a name or link that leaves the folder, two names that are one; `CONTENT_LENGTH` a file
 * whose size is not the one told
 */
export async function* packTar(entries: readonly PackEntry[]): AsyncGenerator<Uint8Array> {
  checkEntries(entries);
  for (const entry of entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))) {
    yield tarHeader(headerOf(entry));
    if (entry.kind === 'file') {
      yield* exactly(entry.open(), entry.sizeBytes, entry.path);
      yield tarPadding(entry.sizeBytes);
    }
  }
  yield TAR_END;
}

/** Gzip without a time or a system in its header. The level is fixed; the bytes are those of this Node's zlib. */
export async function* gzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const zip = createGzip({ level: GZIP_LEVEL });
  const feeding = pipeline(Readable.from(source, { objectMode: false }), zip);
  const output: AsyncIterable<Buffer> = zip;
  let seen = 0;
  try {
    for await (const chunk of output) {
      if (seen <= GZIP_SYSTEM_AT && GZIP_SYSTEM_AT < seen + chunk.length) chunk[GZIP_SYSTEM_AT - seen] = GZIP_SYSTEM_UNKNOWN;
      seen += chunk.length;
      yield chunk;
    }
    await feeding;
  } finally {
    zip.destroy();
    // Left early by the reader, the feed ends with "premature close": that is no failure of its own.
    await Promise.allSettled([feeding]);
  }
}

function headerOf(entry: PackEntry): NewTarHeader {
  const name = entry.kind === 'dir' ? `${entry.path}/` : entry.path;
  const common = { name, type: entry.kind, sizeBytes: 0, linkTarget: '' };
  if (entry.kind === 'file') return { ...common, mode: entry.executable === 'yes' ? MODE.program : MODE.file, sizeBytes: entry.sizeBytes };
  return entry.kind === 'symlink' ? { ...common, mode: MODE.symlink, linkTarget: entry.target } : { ...common, mode: MODE.dir };
}

/** A file that changes while it is packed would shift all that follows. */
async function* exactly(source: AsyncIterable<Uint8Array>, sizeBytes: number, path: string): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const chunk of boundedStream(source, sizeBytes, path)) {
    seen += chunk.length;
    yield chunk;
  }
  if (seen !== sizeBytes) throw lengthError(path, `${sizeBytes}`, `${seen}`);
}

function checkEntries(entries: readonly PackEntry[]): void {
  const seen = new Map<string, string>();
  for (const entry of entries) {
    const components = safeComponents(entry.path, 'none', DEFAULT_UNPACK_LIMITS);
    if (components.join('/') !== entry.path) throw unsafe(`pack ${shown(entry.path)}`, 'a plain relative path', 'another form of it');
    // It would be taken for an order to remove something.
    if (components.some((component) => component.startsWith('.wh.')))
      throw unsafe(`pack ${shown(entry.path)}`, 'no name that starts with .wh.', 'one');
    if (entry.kind === 'symlink') safeLinkTarget(entry.target, components.length - 1, 'refuse', DEFAULT_UNPACK_LIMITS);
    const key = foldedName(entry.path);
    const other = seen.get(key);
    if (other !== undefined)
      throw unsafe(`pack ${shown(entry.path)}`, 'names that differ by more than case or composition', `also ${shown(other)}`);
    seen.set(key, entry.path);
  }
}
