/** The end of a site: the registrar's word is taken in, a last receipt is left, and all that it holds is wiped. */
import path from 'node:path';
import { type Check, digestHex, ERRORS, type JsonObject, LIMITS, parseStrictJson, SealaneError, sha256, SiteError } from '@sealane/core';
import { judgeRetirement, parseBundle, readRetirement, type SentBlob, type SiteRetirement } from '@sealane/trust';
import { crashPoint } from '../crash-point.js';
import type { Disk } from '../disk.js';
import type { Site } from '../site.js';
import type { StateFolder } from '../state-folder.js';
import { admitInput, mirrorOf } from './admission.js';
import type { Machine } from './machine.js';
import { base, type SiteResult } from './outcome.js';
import type { SiteEvent, SiteState } from './state.js';

/** The retirement that was sent here, if it is one of this site as it is enrolled now; what does not count is said, and stops nothing. */
export async function retirementSent(site: Site, machine: Machine, sent: SentBlob): Promise<SiteRetirement | undefined> {
  const lane = mirrorOf(site);
  try {
    const bytes = lane.read(`content/blobs/sha256/${digestHex(sent.digest)}`, sent.length);
    if (bytes === undefined || sha256(bytes) !== sent.digest) return undefined;
    const bundle = parseStrictJson(bytes, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth }) as JsonObject;
    // the host was enrolled anew since
    if (readRetirement(parseBundle(bundle).statement).keyId !== site.signer.keyId) return undefined;
    return judgeRetirement(await admitInput(site, machine, lane), bundle);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    site.world.talk(`the retirement that was sent here was not taken in: ${error.message}`);
    return undefined;
  }
}

/** What a site that is retired, or about to be, answers. */
export function retiredResult(site: Site, state: SiteState, { reason, statement }: SiteRetirement): SiteResult {
  const check: Check = {
    id: 'retired',
    verdict: 'fail',
    expected: 'a site that the registrar did not retire',
    actual: `retired: ${reason}`,
    remedy: ERRORS.SITE_RETIRED.hint,
    evidence: [statement],
    code: 'SITE_RETIRED',
  };
  return { ...base(site, state), outcome: 'refused', release: null, reason: 'SITE_RETIRED', checks: [check] };
}

/** The retirement that is under way or done. */
export function retirementOf({ phase }: Pick<SiteState, 'phase'>): SiteRetirement | undefined {
  return phase.at === 'retiring' || phase.at === 'retired' ? phase.retirement : undefined;
}

/** @throws SiteError `SITE_RETIRED` */
export function expectNotRetired(state: Pick<SiteState, 'phase'>, doing: string): void {
  const retirement = retirementOf(state);
  if (retirement !== undefined)
    throw new SiteError('SITE_RETIRED', `${doing}: expected a site in force, got one that was retired: ${retirement.reason}`);
}

/** What outlives a wipe: the receipts that are still to be sent, the journal that says why, trust that was public all along, the lock that is held. */
const KEPT = (folder: StateFolder): readonly string[] => [folder.receipts, folder.journal, folder.trust, folder.lock];

/**
 * Stops the workload and removes all that is in the state folder: releases, blobs, secrets, certificates, record, and the key last, so that whoever finds a key finds
 * a site that still goes on wiping. Files are removed, not overwritten: flash keeps what was overwritten too.
 */
export async function wipe(site: Site): Promise<SiteEvent> {
  const { world, folder, driver } = site;
  const { disk } = world;
  await driver.stop();
  // it may lie in memory, outside of the state folder
  disk.remove(folder.credentials);
  disk.remove(folder.environments);
  crashPoint('retire:stopped');
  const fetcher = world.startFetcher(world.signal);
  try {
    await fetcher.wipe(folder.mirror, folder.offer);
  } finally {
    await fetcher.close();
  }
  const kept = [...KEPT(folder), folder.key];
  for (const name of disk.list(folder.root)) {
    const file = path.join(folder.root, name);
    if (!kept.includes(file)) disk.remove(file);
  }
  disk.syncFolder(folder.root);
  crashPoint('retire:emptied');
  disk.remove(folder.key);
  disk.syncFolder(folder.root);
  crashPoint('retire:key-removed');
  return { is: 'wiped' };
}

/**
 * Makes room for a site that is enrolled anew on a host that was retired: receipts that the log has not shown are set aside (the folder is returned), trust and
 * journal begin again.
 */
export function leaveRetirement(disk: Disk, folder: StateFolder, machine: Machine): string | undefined {
  const { phase, receipts } = machine.state();
  if (phase.at !== 'retired') return undefined;
  const aside = path.join(folder.receipts, `retired-${phase.retirement.keyId.slice(0, 16)}`);
  // one that has arrived may lie there still: a kill came before it was moved
  const unsent = disk.list(folder.receipts).filter((name) => /^\d{8}\.json$/.test(name) && Number(name.slice(0, 8)) > receipts.sent);
  const refused = disk.list(folder.refusedReceipts).filter((name) => /^\d{8}\.json$/.test(name));
  if (unsent.length + refused.length > 0) disk.makeFolder(aside, 0o750);
  for (const name of unsent) disk.rename(path.join(folder.receipts, name), path.join(aside, name));
  for (const name of refused) disk.rename(path.join(folder.refusedReceipts, name), path.join(aside, name));
  disk.remove(folder.sentReceipts);
  disk.remove(folder.refusedReceipts);
  for (const name of disk.list(folder.receipts)) if (/^\d{8}\.json$/.test(name)) disk.remove(path.join(folder.receipts, name));
  disk.remove(folder.trust);
  disk.syncFolder(folder.receipts);
  machine.record({ is: 'enrolled' });
  return disk.kind(aside) === 'folder' ? aside : undefined;
}
