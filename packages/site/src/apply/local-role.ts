/** A technician does what only an operator may, because people granted it: judged again, counted and journalled before it is done, and told by a receipt. */
import { SealaneError, SiteError } from '@sealane/core';
import { judgeSiteException } from '@sealane/trust';
import type { Site } from '../site.js';
import { admitInput, mirrorOf } from './admission.js';
import { queueOwedReceipt } from './carry-out.js';
import type { Machine } from './machine.js';
import type { TakenException } from './state.js';
import { readTrustFile } from './trust-file.js';
import { trustedNow } from './trusted-time.js';
import { contextOf, finishInterrupted } from './update.js';

/**
 * Uses a grant for `verb` in the name of `person`.
 *
 * @throws SiteError `ROLE_DENIED` there is none that holds now
 */
export async function useLocalRole(site: Site, machine: Machine, person: string, verb: string): Promise<void> {
  const context = contextOf(site, machine);
  await finishInterrupted(context);
  const { nonce } = await grantFor(site, machine, person, verb);
  const { time } = readTrustFile(site.world.disk, site.folder.trust);
  machine.record({ is: 'role-used', nonce, person, verb, at: trustedNow(time, site.world.clock) });
  await queueOwedReceipt(context);
}

async function grantFor(site: Site, machine: Machine, person: string, verb: string): Promise<TakenException> {
  const meant = machine.state().taken.filter(({ role }) => role?.person === person && role.verbs.includes(verb));
  for (const grant of meant) {
    try {
      judgeSiteException(await admitInput(site, machine, mirrorOf(site)), grant.bundles);
      return grant;
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      site.world.talk(`a grant was not used: ${error.message}`);
    }
  }
  throw new SiteError('ROLE_DENIED', `${verb} as ${person}: expected a grant of people for this site that is in force, got none`);
}
