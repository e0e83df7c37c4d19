import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { diskRefusal } from './disk-refusal.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-refusal-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function thrownBy(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return expect.unreachable();
}

it('a folder where a file was to be written is named, and is no fault of the program', () => {
  const [file, folder] = [path.join(dir, 'file'), path.join(dir, 'folder')];
  writeFileSync(file, '');
  mkdirSync(folder);
  const refusal = diskRefusal(thrownBy(() => renameSync(file, folder)));
  expect(refusal).toMatchObject({ code: 'STATE_UNWRITABLE', hint: expect.stringMatching(/^name a file/) });
  expect(refusal?.message).toBe(`write ${folder}: expected a file or nothing there, got a folder`);
});

it('a file where a folder was to be made is, too', () => {
  const file = path.join(dir, 'file');
  writeFileSync(file, '');
  const refusal = diskRefusal(thrownBy(() => mkdirSync(file, { recursive: true })));
  expect(refusal).toMatchObject({ code: 'STATE_UNWRITABLE', hint: expect.stringMatching(/^name a folder/) });
  expect(refusal?.message).toBe(`make the folder ${file}: expected a folder or nothing there, got a file`);
});

it('what was refused is said with what was being done, to what, expected and got', () => {
  const file = path.join(dir, 'locked');
  const refused = Object.assign(new Error(`EACCES: permission denied, open '${file}'`), { code: 'EACCES', syscall: 'open', path: file });
  const said = 'expected the disk to let it, got EACCES: permission denied';
  expect(diskRefusal(refused)).toMatchObject({ code: 'STATE_UNWRITABLE', message: `open ${file}: ${said}` });
  expect(diskRefusal(refused, 'write the export a.tar')?.message).toBe(`write the export a.tar: ${said}`);
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  expect(diskRefusal(full)?.message).toBe('write a file: expected the disk to let it, got ENOSPC: no space left on device');
});

it('what is no refusal of a disk stays what it is', () => {
  expect(diskRefusal(new Error('EISDIR'))).toBeUndefined();
  expect(diskRefusal(thrownBy(() => renameSync(path.join(dir, 'none'), path.join(dir, 'other'))))).toBeUndefined();
});
