/** A folder of a test's own, gone when the test is. In memory where there is such a disk: many small files are 10 times faster there. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-test-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}
