/** `sealane-site run`: the daemon. One update after the other; what is committed is kept running in between. */
import { SealaneError } from '@sealane/core';
import type { CommandCall, CommandSpec } from '@sealane/core/command-line';
import { runUpdate } from '../apply/update.js';
import { systemClock } from '../clock.js';
import { openSite, withLockedResult } from '../site-shell.js';
import { answerOf } from './result-text.js';

/** The command. */
export const command: CommandSpec = {
  name: 'run',
  summary: 'update again and again, and keep the workload running',
  example: 'sealane-site run --config site/site.yaml --state site/state',
  run: async (call) => {
    const { config } = openSite(call);
    let rounds = 0;
    for (; !call.io.signal.aborted; rounds += 1) {
      call.io.talk(`${await round(call)}\n`);
      await pause(config.pollSeconds, call.io.signal);
    }
    return { exit: 0, json: { site: config.name, rounds }, text: `${config.name}: ended after ${rounds} rounds; the workload runs on` };
  },
};

/** One update in a line for people. What fails now may be mended by the next round: only a fault of the program ends the daemon. */
async function round(call: CommandCall): Promise<string> {
  try {
    return answerOf(await withLockedResult(call, (site, machine) => runUpdate(site, machine, 'update'))).text;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return `${error.message} (${error.code})`;
  }
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await systemClock.sleep(seconds * 1000, signal);
  } catch (error) {
    // asked to end: that is how a daemon ends
    if (!signal.aborted) throw error;
  }
}
