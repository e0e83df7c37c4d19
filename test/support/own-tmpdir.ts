/** A folder for all temporary files of a project's workers, gone with it: a worker that is ended runs no clean-up of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

/** Run by Vitest before workers start. Those of other projects of the run have what they had: paths of engines and sockets may not be so long. */
export default function ownTmpdir(project: TestProject): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-unit-'));
  project.config.env = { ...project.config.env, TMPDIR: folder };
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
}
