/** `sealane-site update`: returns after commit or rollback; the workload lives on without it. */
import type { CommandSpec } from '@sealane/core/command-line';
import { runUpdate } from '../apply/update.js';
import { noteOutcome } from '../service/journal-shell.js';
import { withLockedResult } from '../site-shell.js';
import { answerOf } from './result-text.js';

/** The command. */
export const command: CommandSpec = {
  name: 'update',
  summary: 'look for a release, verify it, install it, watch it, commit or roll back',
  example: 'sealane-site update --config site/site.yaml --state site/state',
  run: async (call) => {
    const result = await withLockedResult(call, (site, machine) => runUpdate(site, machine, 'update'));
    const answer = answerOf(result);
    noteOutcome(call.io.env, process.pid, result, answer.text);
    return answer;
  },
};
