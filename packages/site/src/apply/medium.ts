/**
 * Importing a medium: `fetch` copies it into the mirror, verifying on the way; `apply` then verifies its trust once more with its own state and
 * remembers its timestamp as imported, so that a stick may be weeks on the road (DESIGN "Time"). Nothing is installed.
 */
import path from 'node:path';
import { SealaneError, SiteError } from '@sealane/core';
import { refreshTrust } from '@sealane/trust';
import { isSystemError } from '../disk.js';
import type { SyncAnswer } from '../fetch/protocol.js';
import { plainPlace } from '../fetch/routes/place.js';
import { MAX_CHAIN_BYTES } from '../identity/chain.js';
import { takeCertificate } from '../identity/identity.js';
import type { Site } from '../site.js';
import { laneOf } from './admission.js';
import type { Machine } from './machine.js';
import { missingBlob, unsafePart, whereReadable } from './medium-folder.js';
import { pastRotted } from './rotted-receipts.js';
import { soughtReceipts } from './shown-receipts.js';
import { readTrustFile, type TrustFile, writeTrustFile } from './trust-file.js';
import { trustedNow } from './trusted-time.js';
import { judgedNow, receiptsWanted, syncJob } from './ask-fetch.js';

/** What an import did. `reason` says why nothing was new; where newer orders came without files, something was. */
export interface ImportedMedium {
  readonly imported: number;
  readonly skipped: number;
  readonly reason: string | null;
}

/**
 * Imports the lane on a medium.
 *
 * @throws SiteError with the code of what is wrong with it: `TRUST_*`, `CONTENT_*` (with the path); mirror and trust are as before, but for blobs that were right
 */
export async function importMedium(site: Site, machine: Machine, medium: string): Promise<ImportedMedium> {
  const { world, folder, config } = site;
  const trust = readTrustFile(world.disk, folder.trust);
  const before = judgedNow(site);
  const fetcher = world.startFetcher(world.signal);
  try {
    const sought = pastRotted(site, () => soughtReceipts(site, machine.state(), trust));
    const job = { ...syncJob(site, trust), expiry: 'medium' as const, recheck: true, ...receiptsWanted(machine.state(), sought) };
    const answer = await fetcher.sync({
      do: 'sync',
      places: [plainPlace(medium)],
      pollSeconds: config.pollSeconds,
      mirror: folder.mirror,
      offer: folder.offer,
      job,
    });
    requireWhole(site, medium, answer);
    markImported(site, trust);
    takeCertificateFrom(site, medium);
    const { fetched, kept } = answer;
    // without one file of content it may bring a revocation
    const isNew = fetched > 0 || judgedNow(site) !== before;
    return { imported: fetched, skipped: kept, reason: isNew ? null : 'everything on it was here already' };
  } finally {
    // what a refused medium offered is judged here and now, not by the next update
    await fetcher.dropOffer(folder.offer);
    await fetcher.close();
  }
}

function requireWhole({ world: { disk }, folder }: Site, medium: string, { outcome, code, message }: SyncAnswer): void {
  if (outcome === 'synced' || outcome === 'unchanged') return;
  // no word of `fetch`: looked for here
  const unsafe = code === 'FETCH_FAILED' ? whereReadable(() => unsafePart(disk, medium)) : undefined;
  if (unsafe !== undefined)
    throw new SiteError(
      'CONTENT_UNSAFE',
      `import medium ${medium}: expected regular files in regular folders, got a link, pipe or device at ${unsafe}`,
      {
        path: unsafe,
      },
    );
  const missing = code === 'FETCH_FAILED' ? whereReadable(() => missingBlob(disk, medium, folder.offer)) : undefined;
  if (missing !== undefined)
    throw new SiteError('CONTENT_MISSING', `import medium ${medium}: expected ${missing} on it, got nothing`, { path: missing });
  throw new SiteError(code ?? 'FETCH_FAILED', `import medium ${medium}: ${message}`, { medium });
}

/** Only the timestamp's digest is kept: floors move when admission has seen the log as well. @throws TrustError `TRUST_*` */
function markImported(site: Site, trust: TrustFile): void {
  const { world, folder } = site;
  const lane = laneOf(site);
  const read = (name: string, maxBytes: number): Uint8Array | undefined => lane.read(`trust/${name}`, maxBytes);
  const { state } = refreshTrust({ state: trust.tuf, read, now: trustedNow(trust.time, world.clock), expiry: 'medium' });
  writeTrustFile(world.disk, folder.trust, { ...trust, tuf: { ...trust.tuf, importedTimestamps: state.importedTimestamps } });
}

/** A medium may carry the certificate that this site asked for. What is wrong with it is said, and is nothing against the lane on the medium. */
function takeCertificateFrom(site: Site, medium: string): void {
  const { world, config, signer } = site;
  try {
    const pem = world.disk.read(path.join(medium, 'certificates', `${signer.keyId}.pem`), MAX_CHAIN_BYTES);
    if (pem === undefined) return;
    const { name, notAfter } = takeCertificate(site, pem);
    world.talk(`${config.name} is ${name} until ${notAfter}`);
  } catch (error) {
    if (!(error instanceof SealaneError) && !isSystemError(error)) throw error;
    world.talk(`the certificate on the medium was not taken in: ${error.message} (${error.code ?? ''})`);
  }
}
