/** Extended headers of a tar entry: pax records (IEEE 1003.1, "pax Header Block") and the values in them that we heed. */
import { tarText, unsafe, usableSeconds } from './tar-header.js';

/** What pax records replace; absent fields leave the header's value. */
export interface PaxFields {
  readonly path?: string;
  readonly linkTarget?: string;
  readonly sizeBytes?: number;
  readonly modifiedSeconds?: number | null;
  /** The file would get Linux capabilities: rights like those of setuid. */
  readonly capability: boolean;
}

const CAPABILITY_KEYS = new Set(['SCHILY.xattr.security.capability', 'LIBARCHIVE.xattr.security.capability']);
const UTF8 = 'ISO-IR 10646 2000 UTF-8';

/**
 * Parses the records of one `x` header.
 *
 * @throws OciError `CONTENT_UNSAFE` a record whose length is wrong, a key twice, a sparse map, another character set
 */
export function parsePax(data: Uint8Array): PaxFields {
  const records = parseRecords(data);
  refuseSurprises(records);
  const path = records.get('path');
  const link = records.get('linkpath');
  const size = records.get('size');
  const modified = records.get('mtime');
  return {
    ...(path !== undefined && { path: paxText(path, 'path') }),
    ...(link !== undefined && { linkTarget: paxText(link, 'linkpath') }),
    ...(size !== undefined && { sizeBytes: paxSize(size) }),
    ...(modified !== undefined && { modifiedSeconds: paxTime(modified) }),
    capability: [...CAPABILITY_KEYS].some((key) => records.has(key)),
  };
}

/**
 * Checks a `g` header, whose records would hold for all later entries. Comments are common (git's commit id); a name, a
 * link or a size for every entry is not.
 *
 * @throws OciError `CONTENT_UNSAFE`
 */
export function checkGlobalPax(data: Uint8Array): void {
  const records = parseRecords(data);
  refuseSurprises(records);
  for (const key of ['path', 'linkpath', 'size', ...CAPABILITY_KEYS]) {
    if (records.has(key)) throw unsafe('read a global pax header', 'comments and times only', key);
  }
}

/** Splits `LENGTH KEY=VALUE\n` records; the length counts itself and the newline. */
function parseRecords(data: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const said = space === -1 || space - at > 8 ? '' : Buffer.from(data.subarray(at, space)).toString('latin1');
    const length = /^[1-9][0-9]*$/.test(said) ? Number(said) : 0;
    const end = at + length;
    // A record of length 0 is a loop, one beyond the block reads what is not its own, one without newline hides a second.
    if (end <= space + 2 || end > data.length || data[end - 1] !== 0x0a) {
      throw unsafe('read a pax record', 'its true length and a newline', JSON.stringify(said));
    }
    const equals = data.indexOf(0x3d, space);
    if (equals === -1 || equals >= end) throw unsafe('read a pax record', 'key=value', 'no equals sign');
    const key = tarText(data.subarray(space + 1, equals), 'pax key');
    if (records.has(key)) throw unsafe('read a pax header', 'each key once', JSON.stringify(key));
    records.set(key, data.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function refuseSurprises(records: ReadonlyMap<string, Uint8Array>): void {
  for (const [key, value] of records) {
    // GNU sparse maps make 1 TiB of holes out of one block.
    if (key.startsWith('GNU.sparse.')) throw unsafe('read a pax header', 'no sparse file', key);
    if (key === 'hdrcharset' && paxText(value, key) !== UTF8) throw unsafe('read a pax header', `hdrcharset ${UTF8}`, 'another one');
  }
}

/** Text of a record: a NUL in it would be the end of the name for one reader and not for another. */
function paxText(value: Uint8Array, key: string): string {
  if (value.includes(0)) throw unsafe(`read pax ${key}`, 'no NUL', 'a NUL');
  return tarText(value, `pax ${key}`);
}

function paxSize(value: Uint8Array): number {
  const said = paxText(value, 'size');
  const size = /^(0|[1-9][0-9]{0,15})$/.test(said) ? Number(said) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw unsafe('read pax size', 'a decimal below 2^53', JSON.stringify(said.slice(0, 40)));
  return size;
}

function paxTime(value: Uint8Array): number | null {
  const whole = /^([0-9]{1,12})(\.[0-9]*)?$/.exec(paxText(value, 'mtime'))?.[1];
  return whole === undefined ? null : usableSeconds(Number(whole));
}
