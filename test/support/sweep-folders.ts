/**
 * Removes, after a run, the temporary folders that its tests made and left: those of workers that were ended, and what is shared by all tests of a file. They
 * lie where they always did: the sockets and engines in them take no longer paths.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

/** Run by Vitest before workers start. */
export default function sweepFolders(project: TestProject): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-folders-'));
  const list = path.join(folder, 'list');
  writeFileSync(list, '');
  project.config.env = { ...project.config.env, SEALANE_TEST_FOLDERS: list };
  return () => {
    sweep(readFileSync(list, 'utf8').split('\n'));
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Removes those of the folders that are left, but never what has something mounted in it: that may be any folder of this host. */
export function sweep(folders: readonly string[], mounted = mountPoints()): void {
  for (const folder of folders) {
    if (!path.isAbsolute(folder) || !path.basename(folder).startsWith('sealane-')) continue;
    if (mounted.some((place) => place === folder || place.startsWith(`${folder}/`))) continue;
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      // what somebody still writes into stays, as it did before
      console.error(`${folder} is left: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Where something is mounted, as this process sees it (proc(5): octal for spaces and the like); none where there is no such file. */
function mountPoints(): readonly string[] {
  if (process.platform !== 'linux') return [];
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.flatMap((line) => {
    const place = line.split(' ')[4];
    return place === undefined ? [] : [place.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8)))];
  });
}
