/** Where tiles lie in a log's static tree (C2SP tlog-tiles). Pure path maths. */
import { CoreError } from './errors.js';

/** Hashes in a full tile, entries in a full bundle; 256 = 2^8, so one tile spans eight levels of the tree. */
export const TILE_WIDTH = 256;
export const TILE_HEIGHT = 8;

/** A tile of hashes: `level` counted in tiles, `index` from the left, `width` 1–256 hashes (256 = full). */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** The highest level: 8 bits a level, 64-bit tree sizes. */
const MAX_LEVEL = 63;

/** Path of a hash tile, such as `tile/0/x001/234` or `tile/0/x001/x234/067.p/5`. */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${indexPath(index)}${partial(width)}`;
}

/** Path of a bundle of entries, such as `tile/entries/x001/234`. */
export function entriesPath({ index, width }: Omit<Tile, 'level'>): string {
  return `tile/entries/${indexPath(index)}${partial(width)}`;
}

/**
 * The tile that a path names; `level` is `entries` for a bundle of entries.
 *
 * @throws CoreError `TILE_PATH_MALFORMED` not exactly the form that `tilePath` and `entriesPath` write
 */
export function parseTilePath(path: string): { readonly level: number | 'entries'; readonly index: number; readonly width: number } {
  const [, levelText, indexText, widthText] =
    /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,6}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path) ?? [];
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText);
  const index = Number((indexText ?? '').replace(/[x/]/g, ''));
  const level = levelText === 'entries' ? 'entries' : Number(levelText);
  const canonical = level === 'entries' ? entriesPath({ index, width }) : tilePath({ level, index, width });
  if (indexText === undefined || canonical !== path || (level !== 'entries' && level > MAX_LEVEL) || !Number.isSafeInteger(index)) {
    throw new CoreError(
      'TILE_PATH_MALFORMED',
      `read a tile path: expected one of C2SP tlog-tiles, got ${JSON.stringify(path.slice(0, 80))}`,
    );
  }
  return { level, index, width };
}

/** The tiles, full and partial, that make up the right edge and everything left of it are counted by this: widths at `level` for `size` entries. */
export function tileCount(size: number, level: number): { readonly full: number; readonly partialWidth: number } {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return { full: Math.floor(hashes / TILE_WIDTH), partialWidth: hashes % TILE_WIDTH };
}

/** Three digits a folder, all but the last with an x before them. */
function indexPath(index: number): string {
  const digits = index.toString();
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  return groups.map((group, position) => (position < groups.length - 1 ? `x${group}` : group)).join('/');
}

function partial(width: number): string {
  return width === TILE_WIDTH ? '' : `.p/${width}`;
}

/** Where the timestamp (RFC 3161) of a keyless signature lies beside the tree: no leaf has it. Ours; C2SP leaves other names free. */
export function timestampPath(index: number): string {
  return `timestamps/${index}.tst`;
}

/** The entry whose timestamp a path is; undefined when it is another file. */
export function parseTimestampPath(path: string): number | undefined {
  const [, index] = /^timestamps\/(0|[1-9]\d{0,14})\.tst$/.exec(path) ?? [];
  return index === undefined ? undefined : Number(index);
}
