/** A folder for all temporary files of a run, gone with it: a worker that is ended runs no clean-up of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Run by Vitest before its workers start, which inherit the variable. */
export default function ownTmpdir(): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-unit-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true, force: true });
  };
}
