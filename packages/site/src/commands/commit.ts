/** `sealane-site commit`: an operator ends a probation that was interrupted, with one healthy look instead of the time that is left. */
import type { CommandSpec } from '@sealane/core/command-line';
import { runCommit } from '../apply/commit.js';
import { withLockedResult } from '../site-shell.js';
import { answerOf } from './result-text.js';

/** The command. */
export const command: CommandSpec = {
  name: 'commit',
  summary: 'commit a release in probation now, if it is healthy',
  example: 'sealane-site commit --config site/site.yaml --state site/state',
  run: async (call) => answerOf(await withLockedResult(call, runCommit)),
};
