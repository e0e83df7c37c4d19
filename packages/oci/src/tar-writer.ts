/** Writes tar headers (POSIX ustar; pax where a name, link or size does not fit), always the same bytes for the same entry. */
import { utf8 } from '@sealane/core';
import { TAR_BLOCK_BYTES } from './tar-header.js';

/** What goes into a header: owners are 0, the time is 1970. `name` of a folder ends in a slash. */
export interface NewTarHeader {
  readonly name: string;
  readonly type: 'file' | 'dir' | 'symlink';
  readonly mode: number;
  readonly sizeBytes: number;
  readonly linkTarget: string;
}

const TYPE_FLAGS = { file: '0', symlink: '2', dir: '5', pax: 'x' } as const;
const NAME_BYTES = 100;
/** Eleven octal digits. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1;
/** Two zero blocks (POSIX). */
export const TAR_END = new Uint8Array(2 * TAR_BLOCK_BYTES);

/** The block or blocks that precede an entry's content. */
export function tarHeader(header: NewTarHeader): Uint8Array {
  const records = [
    ...(fits(header.name) ? [] : [paxRecord('path', header.name)]),
    ...(fits(header.linkTarget) ? [] : [paxRecord('linkpath', header.linkTarget)]),
    ...(header.sizeBytes <= MAX_OCTAL_SIZE ? [] : [paxRecord('size', `${header.sizeBytes}`)]),
  ];
  const main = block(header.name, TYPE_FLAGS[header.type], header.mode, header.sizeBytes, header.linkTarget);
  if (records.length === 0) return main;
  const data = Buffer.concat(records);
  return Buffer.concat([block('PaxHeader', TYPE_FLAGS.pax, 0o644, data.length, ''), data, tarPadding(data.length), main]);
}

/** The zeros after content of `sizeBytes`. */
export function tarPadding(sizeBytes: number): Uint8Array {
  return new Uint8Array((TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
}

/** ASCII that a field holds; all else goes into pax, which is UTF-8. */
const fits = (text: string): boolean => text.length <= NAME_BYTES && Array.from(text).every((character) => character <= '~');

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = utf8(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length;
  return Buffer.concat([utf8(`${length}`), rest]);
}

function block(name: string, type: string, mode: number, sizeBytes: number, linkTarget: string): Uint8Array {
  const bytes = Buffer.alloc(TAR_BLOCK_BYTES);
  // Where pax says the true value, the field holds what fits of it.
  bytes.write(fits(name) ? name : asciiOf(name), 0, NAME_BYTES, 'latin1');
  octal(bytes, 100, 8, mode);
  octal(bytes, 108, 8, 0);
  octal(bytes, 116, 8, 0);
  octal(bytes, 124, 12, sizeBytes <= MAX_OCTAL_SIZE ? sizeBytes : 0);
  octal(bytes, 136, 12, 0);
  bytes.fill(' ', 148, 156);
  bytes.write(type, 156, 1, 'latin1');
  bytes.write(fits(linkTarget) ? linkTarget : asciiOf(linkTarget), 157, NAME_BYTES, 'latin1');
  bytes.write('ustar\0' + '00', 257, 8, 'latin1');
  octal(bytes, 329, 8, 0);
  octal(bytes, 337, 8, 0);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return bytes;
}

const asciiOf = (text: string): string => text.replace(/[^ -~]/gu, '_').slice(0, NAME_BYTES);

function octal(bytes: Buffer, offset: number, length: number, value: number): void {
  bytes.write(value.toString(8).padStart(length - 1, '0'), offset, length - 1, 'latin1');
}
