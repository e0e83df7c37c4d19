/** The folder of the engine's own configuration as `doctor` finds it: whether this process may write there, and whether somebody changed what it wrote. */
import { type Check, type ErrorCode, ERRORS } from '@sealane/core';
import type { Around } from './engine.js';
import { changedFiles } from './permit.js';

const ID = 'engine-config';

/** One check where site.yaml names such a folder, none where it does not. Changes nothing. */
export function examineConfig(around: Around): readonly Check[] {
  const { engineConfig } = around.config;
  if (engineConfig === undefined) return [];
  const failed = (code: ErrorCode, expected: string, actual: string, remedy = ERRORS[code].hint): readonly Check[] => [
    { id: ID, verdict: 'fail', expected, actual, remedy, evidence: [], code },
  ];
  if (!around.world.disk.mayWriteIn(engineConfig))
    return failed('STATE_UNWRITABLE', `the updater writes ${FILES} in ${engineConfig}`, 'it may not write there', writable(engineConfig));
  const changed = changedFiles(around);
  const expected = `${FILES} in ${engineConfig} as they were written`;
  if (changed.length === 0) return [{ id: ID, verdict: 'pass', expected, actual: 'they are', remedy: '', evidence: [] }];
  return failed('WORKLOAD_STRAY', expected, changed.map(({ file, how }) => `${file} ${how}`).join(', '), PUT_BACK);
}

const FILES = 'policy.json and registries.conf';

const PUT_BACK = 'put it back: sealane-site doctor --mend';

/** In a sandbox the folder is read-only whatever its mode is. */
function writable(folder: string): string {
  return `let the updater write there (owner and mode; ReadWritePaths=${folder} for sealane-site-apply), then: sealane-site update`;
}
