/** `sealane-site unhold`: a person has looked: updates go on, a failed return is tried again, a release that failed here may be tried again. */
import { type Digest, parseDigest } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { carryOutAll } from '../apply/carry-out.js';
import { expectNotDrained } from '../apply/drain.js';
import type { Machine } from '../apply/machine.js';
import { heldResult } from '../apply/answers.js';
import { contextOf } from '../apply/update.js';
import type { Site } from '../site.js';
import { withLockedSite } from '../site-shell.js';
import { answerOf } from './result-text.js';

/** The command. */
export const command: CommandSpec = {
  name: 'unhold',
  summary: 'lift a hold; try again after a failed rollback; allow a release that failed here',
  arguments: [{ name: '[release]', description: 'digest of a release that failed here and may be tried again' }],
  example: 'sealane-site unhold --config site/site.yaml --state site/state',
  run: (call) => {
    const [given] = call.args;
    const release = typeof given === 'string' ? parseDigest(given) : undefined;
    return withLockedSite(call, async (site, machine) => {
      const lifted = await lift(site, machine, release);
      if (machine.state().phase.at === 'held') return answerOf(heldResult(site, machine.state()));
      return {
        exit: 0,
        json: { site: site.config.name, lifted },
        text: lifted.length === 0 ? 'nothing was held' : lifted.join('\n'),
        hint: 'go on: sealane-site update',
      };
    });
  },
};

async function lift(site: Site, machine: Machine, release: Digest | undefined): Promise<readonly string[]> {
  if (machine.state().phase.at === 'held') expectNotDrained(machine.state(), 'try again what had failed');
  const lifted: string[] = [];
  if (machine.state().hold !== null) {
    machine.record({ is: 'unhold' });
    lifted.push('the hold is lifted');
  }
  if (release !== undefined && machine.state().denied.some((entry) => entry.release === release)) {
    machine.record({ is: 'allowed', release });
    lifted.push(`${release} may be tried again`);
  }
  if (machine.state().phase.at === 'held') {
    machine.record({ is: 'retried' });
    await carryOutAll(contextOf(site, machine));
    lifted.push('what had failed was tried again');
  }
  return lifted;
}
