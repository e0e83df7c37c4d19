/** `sealane-site run`: the daemon in one process, with the rights of whoever starts it. */
import type { CommandSpec } from '@sealane/core/command-line';
import { runRounds } from '../service/rounds.js';
import { openSite } from '../site-shell.js';
import { answerOf } from './result-text.js';

/** The command. */
export const command: CommandSpec = {
  name: 'run',
  summary: 'update again and again, and keep the workload running',
  example: 'sealane-site run --config site/site.yaml --state site/state',
  run: async (call) => {
    const { config } = openSite(call);
    const rounds = await runRounds(call, {
      turn: (round) => round(),
      ended: (result) => call.io.talk(`${answerOf(result).text}\n`),
      replaced: new AbortController(),
      failed: ({ message, code }) => call.io.talk(`${message} (${code})\n`),
    });
    return { exit: 0, json: { site: config.name, rounds }, text: `${config.name}: ended after ${rounds} rounds; the workload runs on` };
  },
};
