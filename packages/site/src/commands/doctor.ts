/** `sealane-site doctor`: looks first; with `--mend` it does what needs no judgement. */
import { type Check, ERRORS } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { examine } from '../apply/examine.js';
import { takeLock } from '../apply/lock.js';
import { journalFault, mendJournal, trustFault } from '../apply/mend.js';
import { mendCurrent } from '../apply/mend-current.js';
import { watchStrays } from '../apply/strays.js';
import { trustedNow } from '../apply/trusted-time.js';
import { keepRunning } from '../apply/keep-running.js';
import { contextOf, finishInterrupted } from '../apply/update.js';
import { inWords, openSite, withLockedSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'doctor',
  summary: 'look for what is wrong at this site, and mend it',
  options: [
    {
      flags: '--mend',
      description: 'finish what was interrupted, start what should run, put back what leads to it; set a damaged journal aside',
    },
  ],
  example: 'sealane-site doctor --config site/site.yaml --state site/state',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const mended = call.options['mend'] === true ? await mend(call) : [];
  const site = openSite(call);
  const checks = await examine(site);
  const worst = checks.find(({ verdict }) => verdict !== 'pass');
  const exit = worst?.code === undefined ? 0 : ERRORS[worst.code].exit;
  const text = [...mended, ...checks.map(line)].join('\n');
  return {
    exit,
    json: { site: site.config.name, ok: worst === undefined, mended, checks },
    text,
    ...(worst === undefined ? {} : { hint: worst.remedy }),
  };
}

async function mend(call: CommandCall): Promise<readonly string[]> {
  const site = openSite(call);
  if (journalFault(site) !== undefined) {
    return await inWords(site.folder, () => {
      const release = takeLock(site.world, site.folder.lock);
      try {
        return Promise.resolve([`the damaged journal was set aside: ${mendJournal(site)}; when you have looked: sealane-site unhold`]);
      } finally {
        release();
      }
    });
  }
  return await withLockedSite(call, async (locked, machine) => {
    const context = contextOf(locked, machine);
    // without it nothing is finished or told, but what is installed can run
    const isTrusting = trustFault(locked) === undefined;
    if (isTrusting) await finishInterrupted(context);
    const done = await mendCurrent(context);
    await keepRunning(locked, machine.state());
    if (isTrusting) await watchStrays(locked, machine.state(), trustedNow(context.trust().time, locked.world.clock));
    return done;
  });
}

function line({ id, verdict, expected, actual }: Check): string {
  return verdict === 'pass' ? `  pass  ${id}: ${actual}` : `  ${verdict}  ${id}: expected ${expected}; got ${actual}`;
}
