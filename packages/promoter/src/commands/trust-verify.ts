/** `sealane trust verify`. */
import { LIMITS, PromoterError, SealaneError } from '@sealane/core';
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
  const { state, expiresAt } = forOwners(() => refreshTrust({ state: trustFromRoot(root), read, now: nowText(), expiry: 'network' }));
  const { versions } = state;
  return Promise.resolve({
    exit: 0,
    json: { versions, expiresAt },
    text: `root ${versions.root}, targets ${versions.targets}, snapshot ${versions.snapshot}, timestamp ${versions.timestamp}; good until ${expiresAt}`,
  });
}

/** Root and targets are signed by owners: no refresh of this host makes them hold for longer. */
function forOwners<T>(verify: () => T): T {
  try {
    return verify();
  } catch (cause) {
    const isOwners =
      cause instanceof SealaneError &&
      cause.code === 'TRUST_EXPIRED' &&
      /(?:^|\.)(?:root|targets)\.json$/.test(String(cause.data['fileName']));
    if (!isOwners) throw cause;
    const hint = 'have the owners sign it anew: sealane trust propose --renew, then: sealane publish --refresh';
    throw new PromoterError('TRUST_EXPIRED', cause.message, cause.data, { cause, hint });
  }
}
