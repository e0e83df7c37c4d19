/**
 * One 512-byte tar header (POSIX ustar, IEEE 1003.1 "pax", and GNU's), read strictly.
 *
 * Two readers that differ about one header are how content is smuggled past a check, so whatever an honest writer does not
 * write is refused: a wrong checksum, a sign or a 9 in an octal field, an unknown magic, bytes that are not UTF-8.
 */
import { OciError } from '@sealane/core';

/** Bytes of a header, and the unit in which content is padded. */
export const TAR_BLOCK_BYTES = 512;

/** What a header says, before pax or GNU long names replace parts of it. Times in seconds; null where unusable. */
export interface TarHeader {
  readonly name: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly modifiedSeconds: number | null;
  /** The type flag as a character: '0' file, '1' hard link, '2' symbolic link, '5' folder, 'x' and 'g' pax, 'L' and 'K' GNU. */
  readonly type: string;
  readonly linkTarget: string;
}

/** Refuses an archive: always `CONTENT_UNSAFE`. */
export function unsafe(doing: string, expected: string, got: string): OciError {
  return new OciError('CONTENT_UNSAFE', `${doing}: expected ${expected}, got ${got}`, { expected, got });
}

/**
 * Parses one header.
 *
 * @throws OciError `CONTENT_UNSAFE`
 */
export function parseTarHeader(block: Uint8Array): TarHeader {
  const said = latin1(block);
  checkChecksum(block, said);
  const magic = said.slice(257, 265);
  // POSIX: "ustar", NUL, "00". GNU: "ustar", two spaces, NUL; its prefix field holds other things.
  if (magic !== 'ustar\0' + '00' && magic !== 'ustar  \0') throw unsafe('read a tar header', 'magic ustar', JSON.stringify(magic));
  const prefix = magic === 'ustar  \0' ? '' : text(block, said, 345, 155, 'prefix');
  const name = text(block, said, 0, 100, 'name');
  const type = said.slice(156, 157);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: octal(said, 100, 8, 'mode'),
    sizeBytes: size(block, said),
    modifiedSeconds: time(said),
    // POSIX: NUL is a file in archives older than ustar
    type: type === '\0' ? '0' : type,
    linkTarget: text(block, said, 157, 100, 'link name'),
  };
}

/** True for a block of zeros, two of which end an archive. */
export function isZeroBlock(block: Uint8Array): boolean {
  for (const byte of block) if (byte !== 0) return false;
  return true;
}

/** Decodes UTF-8 up to the first NUL, refusing anything else. */
export function tarText(bytes: Uint8Array, field: string): string {
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(end === -1 ? bytes : bytes.subarray(0, end));
  } catch (cause) {
    throw new OciError('CONTENT_UNSAFE', `read the ${field} of a tar entry: expected UTF-8, got other bytes`, { field }, { cause });
  }
}

/** What both readings agree about needs no decoder: most names are ASCII. */
const ASCII = /^[ -~]*$/;

/** A field of the block; `said` is the block as Latin-1. */
function text(block: Uint8Array, said: string, offset: number, length: number, field: string): string {
  const end = said.indexOf('\0', offset);
  const plain = said.slice(offset, end === -1 ? offset + length : Math.min(end, offset + length));
  return ASCII.test(plain) ? plain : tarText(block.subarray(offset, offset + length), field);
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** POSIX: the sum of all bytes of the header, the checksum field itself taken as spaces. */
function checkChecksum(block: Uint8Array, said: string): void {
  const wanted = octal(said, 148, 8, 'checksum');
  let sum = 8 * 32;
  for (let at = 0; at < block.length; at += 1) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  if (wanted !== sum) throw unsafe('read a tar header', `checksum ${sum}`, String(wanted));
}

/** Octal digits, led by spaces at most, ended by spaces or NULs at most; an empty field is 0. */
function octal(said: string, offset: number, length: number, field: string): number {
  const wanted = said.slice(offset, offset + length);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(wanted)?.[1];
  if (digits === undefined) throw unsafe(`read the ${field} of a tar entry`, 'octal digits', JSON.stringify(wanted));
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** GNU: with the top bit set the field is a big-endian two's complement number. Negative or unsafe sizes are refused. */
function size(block: Uint8Array, said: string): number {
  const field = block.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) === 0) return octal(said, 124, 12, 'size');
  const value = BigInt('0x' + Buffer.from(field).toString('hex')) ^ (1n << 95n);
  // A negative number has the next bit set as well, so it is far above any safe size.
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw unsafe('read the size of a tar entry', 'at most 2^53 bytes', `${value} bytes`);
  return Number(value);
}

/** Times are a convenience: one outside what a disk can hold is left away, never refused. */
function time(said: string): number | null {
  return (said.charCodeAt(136) & 0x80) === 0 ? usableSeconds(octal(said, 136, 12, 'time')) : null;
}

/** Seconds from 1970 to 2106 (ext4 with small inodes holds no more), else null. */
export function usableSeconds(seconds: number): number | null {
  return seconds >= 0 && seconds < 2 ** 32 ? seconds : null;
}
