/** `sealane trust verify`. */
import { LIMITS, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { refreshTrust, trustFromRoot } from '@sealane/trust';

import { nowText } from '../clock.js';
import { homeOf } from '../promoter.js';
import { readBelow } from '../trust/lane-trust.js';

export const command: CommandSpec = {
  name: 'trust verify',
  summary: 'verify the published trust of the lane as a site would, expiry included',
  example: 'sealane trust verify --home my-lane',
  run,
};

function run(call: CommandCall): Promise<CommandResult> {
  const read = readBelow(homeOf(call).trust);
  const root = read('metadata/1.root.json', LIMITS.rootBytes);
  if (root === undefined) throw new PromoterError('CONFIG_INVALID', 'verify the lane: expected metadata/1.root.json, got nothing');
  const { state, expiresAt } = refreshTrust({ state: trustFromRoot(root), read, now: nowText(), expiry: 'network' });
  const { versions } = state;
  return Promise.resolve({
    exit: 0,
    json: { versions, expiresAt },
    text: `root ${versions.root}, targets ${versions.targets}, snapshot ${versions.snapshot}, timestamp ${versions.timestamp}; good until ${expiresAt}`,
  });
}
