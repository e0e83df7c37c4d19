/** `sealane-site check`: everything that `update` does before it lays anything down. */
import type { CommandSpec } from '@sealane/core/command-line';
import { runUpdate } from '../apply/update.js';
import { withLockedResult } from '../site-shell.js';
import { answerOf } from './result-text.js';

/** The command. */
export const command: CommandSpec = {
  name: 'check',
  summary: 'look for a release and verify it; install nothing',
  example: 'sealane-site check --config site/site.yaml --state site/state',
  run: async (call) => answerOf(await withLockedResult(call, (site, machine) => runUpdate(site, machine, 'check'))),
};
