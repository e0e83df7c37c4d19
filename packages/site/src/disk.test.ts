import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeDisk } from './disk.js';

test('a link that somebody laid in the place of a file is not written through', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-site-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [theirs, link] = [path.join(folder, 'theirs'), path.join(folder, 'request.json.tmp')];
  writeFileSync(theirs, 'as it was');
  symlinkSync(theirs, link);
  expect(() => nodeDisk.writeSynced(link, new Uint8Array([1]), 0o644)).toThrow(/ELOOP/);
  expect(readFileSync(theirs, 'utf8')).toBe('as it was');
});

test('a file is made new where nothing lies, and neither a file nor a link that lies there is opened', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-site-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [theirs, link, ours] = [path.join(folder, 'theirs'), path.join(folder, 'link'), path.join(folder, 'ours')];
  writeFileSync(theirs, 'as it was');
  symlinkSync(path.join(folder, 'nowhere'), link);
  for (const there of [theirs, link]) expect(() => nodeDisk.createSynced(there, new Uint8Array([1]), 0o644)).toThrow(/EEXIST/);
  nodeDisk.createSynced(ours, new Uint8Array([1]), 0o644);
  expect([readFileSync(theirs, 'utf8'), [...readFileSync(ours)]]).toEqual(['as it was', [1]]);
  expect(readdirSync(folder).sort()).toEqual(['link', 'ours', 'theirs']);
});
