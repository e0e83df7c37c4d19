/** `sealane-site rollback`: by hand, to a release that is kept. */
import { parseDigest } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { runRollback } from '../apply/rollback.js';
import { withLockedResult } from '../site-shell.js';
import { answerOf } from './result-text.js';

/** The command. */
export const command: CommandSpec = {
  name: 'rollback',
  summary: 'go back to a release that is kept',
  arguments: [{ name: '[release]', description: 'its digest; without it, the release before' }],
  example: 'sealane-site rollback --config site/site.yaml --state site/state',
  run: async (call) => {
    const [wanted] = call.args;
    const release = wanted === undefined ? undefined : parseDigest(wanted);
    return answerOf(await withLockedResult(call, (site, machine) => runRollback(site, machine, release)));
  },
};
