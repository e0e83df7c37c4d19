/** Blobs of the lane by digest: wrong bytes are none, and small ones are read once where somebody keeps them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestHex, sha256, utf8 } from '@sealane/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type KeptBlobs, readBlob } from './content.js';

let content: string;

beforeEach(() => {
  content = mkdtempSync(path.join(tmpdir(), 'sealane-content-'));
  mkdirSync(path.join(content, 'blobs', 'sha256'), { recursive: true });
});

afterEach(() => {
  rmSync(content, { recursive: true, force: true });
});

describe('readBlob', () => {
  it('reads a small blob once for who keeps them, a large one and other bytes each time', () => {
    const blobs: KeptBlobs = new Map();
    const home = { content };
    const [small, large] = [utf8('{}'), new Uint8Array(64 * 1024 + 1)];
    const fileOf = (bytes: Uint8Array): string => path.join(content, 'blobs', 'sha256', digestHex(sha256(bytes)));
    writeFileSync(fileOf(small), 'other');
    expect(readBlob({ home, blobs }, sha256(small))).toBeUndefined();
    writeFileSync(fileOf(small), small);
    writeFileSync(fileOf(large), large);
    for (const bytes of [small, large]) expect(readBlob({ home, blobs }, sha256(bytes))).toHaveLength(bytes.length);
    for (const bytes of [small, large]) rmSync(fileOf(bytes));
    expect([small, large].map((bytes) => readBlob({ home, blobs }, sha256(bytes))?.length)).toEqual([2, undefined]);
    expect(readBlob({ home }, sha256(small))).toBeUndefined();
  });
});
