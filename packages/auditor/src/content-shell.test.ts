/** Blobs of content are kept, and what becomes of their files is seen all the same. */
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Digest, digestHex, LIMITS, sha256, utf8 } from '@sealane/core';
import { readContent } from './content-shell.js';

let content: string;

beforeEach(() => {
  content = mkdtempSync(path.join(tmpdir(), 'sealane-content-'));
  mkdirSync(path.join(content, 'blobs', 'sha256'), { recursive: true });
});
afterEach(() => {
  rmSync(content, { recursive: true, force: true });
});

const fileOf = (digest: Digest): string => path.join(content, 'blobs', 'sha256', digestHex(digest));

function put(bytes: Uint8Array): Digest {
  const digest = sha256(bytes);
  writeFileSync(fileOf(digest), bytes);
  return digest;
}

test('a small blob is the very same bytes when it is asked for again, a large one is read anew', () => {
  const [small, large] = [put(utf8('an inventory')), put(new Uint8Array(100_000))];
  expect(readContent(content, small)).toEqual(utf8('an inventory'));
  expect(readContent(content, small)).toBe(readContent(content, small));
  expect(readContent(content, large)?.length).toBe(100_000);
  expect(readContent(content, large)).not.toBe(readContent(content, large));
});

test('a kept blob that is removed is not there any more, and is once it is back', () => {
  const digest = put(utf8('a report'));
  readContent(content, digest);
  rmSync(fileOf(digest));
  expect(readContent(content, digest)).toBeUndefined();
  put(utf8('a report'));
  expect(readContent(content, digest)).toEqual(utf8('a report'));
});

test('a kept blob that is altered in place or replaced is not what its name says, with the size and the times of before too', () => {
  const digest = put(utf8('a report'));
  const { atime, mtime } = statSync(fileOf(digest));
  for (const alter of [
    () => {
      writeFileSync(fileOf(digest), 'A REPORT');
    },
    () => {
      writeFileSync(path.join(content, 'other'), 'A REPORT');
      renameSync(path.join(content, 'other'), fileOf(digest));
    },
  ]) {
    put(utf8('a report'));
    expect(readContent(content, digest)).toEqual(utf8('a report'));
    alter();
    utimesSync(fileOf(digest), atime, mtime);
    expect(readContent(content, digest)).toBeUndefined();
    expect(readContent(content, digest)).toBeUndefined();
  }
});

test('two lanes keep their blobs apart, and what stays the same but for its mode is the same blob', () => {
  const digest = put(utf8('a report'));
  readContent(content, digest);
  expect(readContent(path.join(content, 'elsewhere'), digest)).toBeUndefined();
  chmodSync(fileOf(digest), 0o400);
  expect(readContent(content, digest)).toEqual(utf8('a report'));
});

test('more than is kept pushes out what was kept, and each is what its name says', () => {
  const digests = Array.from({ length: 200 }, (_, at) => put(new Uint8Array(60_000).fill(at)));
  for (const digest of [...digests, ...digests]) expect(sha256(readContent(content, digest) ?? new Uint8Array())).toBe(digest);
});

test('a blob over its limit is refused by size, unread', () => {
  const digest = sha256(utf8('huge'));
  writeFileSync(fileOf(digest), '');
  // a sparse file
  writeFileSync(fileOf(digest), new Uint8Array(LIMITS.evidenceBlobBytes + 1));
  expect(() => readContent(content, digest)).toThrow(expect.objectContaining({ code: 'TRUST_TOO_LARGE' }));
});
