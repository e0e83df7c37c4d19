/** Content as somebody hands it over: what is no file is said to be none, and nobody waits for it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseDigest, sha256, utf8 } from '@sealane/core';
import { hashedContent } from './content-hashes-shell.js';
import { readContent } from './content-shell.js';

let content: string;
let blobs: string;

beforeEach(() => {
  content = mkdtempSync(path.join(tmpdir(), 'sealane-content-'));
  blobs = path.join(content, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
});
afterEach(() => {
  rmSync(content, { recursive: true, force: true });
});

test('pipes, devices without an end, folders, sockets and links to themselves are no files, whatever they are called', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(64));
  const [pipe = '', device = '', folder = '', socket = '', loop = ''] = names.map((name) => path.join(blobs, name));
  execFileSync('mkfifo', [pipe]);
  symlinkSync('/dev/zero', device);
  mkdirSync(folder);
  symlinkSync(loop, loop);
  const server = createServer();
  const short = path.join(content, 's');
  await new Promise<void>((resolve) => server.listen(short, resolve));
  renameSync(short, socket);
  const file = path.join(blobs, 'f'.repeat(64));
  writeFileSync(file, 'a report');
  try {
    expect([...hashedContent(content)]).toEqual([
      ...names.map((name) => ({ name, digest: undefined })),
      { name: 'f'.repeat(64), digest: sha256(utf8('a report')) },
    ]);
    for (const name of names) expect(readContent(content, parseDigest(`sha256:${name}`))).toBeUndefined();
  } finally {
    server.close();
  }
});

test('no folder has no blobs', () => {
  rmSync(blobs, { recursive: true });
  expect([...hashedContent(content)]).toEqual([]);
});
