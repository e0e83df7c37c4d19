/** Renewal in the rounds of the updater: ask when it is due, take in what was brought. Nothing of it stops an update. */
import path from 'node:path';
import { type Digest, isDigest, type JsonValue, LIMITS, parseStrictJson, SealaneError, sha256 } from '@sealane/core';
import type { Fetcher } from '../apply/fetch-shell.js';
import type { Moment } from '../apply/state.js';
import { momentOf, secondsSince } from '../apply/trusted-time.js';
import { durableWrite } from '../durable-write.js';
import { afterTurns } from '../fetch/routes/place.js';
import { readSealed, sealed } from '../sealed-file.js';
import type { Site } from '../site.js';
import { MAX_CHAIN_BYTES } from './chain.js';
import { identityState, openRequest, siteNow, takeCertificate } from './identity.js';

/** An authority that did not answer, or said no, is asked again after this. In seconds. */
const ASK_AGAIN_SECONDS = 600;

/** Does what there is to do, where this site was given an authority; what fails is said and left for the next round. */
export async function renewCertificate(site: Site, fetcher: Fetcher): Promise<void> {
  const { world, folder } = site;
  if (world.disk.kind(folder.siteCa) !== 'file') return;
  // whatever was brought: an answer that is wrong, or was too long on its way, keeps this site from no other one
  await orSaid(site, () => takeBrought(site));
  await orSaid(site, async () => {
    const { certificate, dueAt } = identityState(world.disk, folder);
    if (certificate !== null && dueAt !== null && siteNow(site) < dueAt) return;
    const request = await openRequest(site);
    await ask(site, fetcher, parseStrictJson(request, { maxBytes: request.length, maxDepth: LIMITS.jsonDepth }));
    takeBrought(site);
  });
}

async function orSaid({ world }: Site, step: () => void | Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    world.talk(`the certificate of this site was not renewed: ${error.message} (${error.code})`);
  }
}

/** What the rounds remember: when was asked last, how often in all since the last certificate, and the digest of the answer that was looked at. */
interface Renewal {
  readonly asked: Moment | null;
  readonly turns: number;
  readonly looked: Digest | null;
}

/** What `fetch` or a medium brought is looked at once: `apply` may not remove it, and what was wrong with it stays wrong, but for a clock that may be set right. */
function takeBrought(site: Site): void {
  const { world, folder, config } = site;
  const pem = world.disk.read(folder.certificateBrought, MAX_CHAIN_BYTES);
  const renewal = readRenewal(site);
  if (pem === undefined || renewal.looked === sha256(pem)) return;
  const { name, notAfter } = taken(site, pem, () => remember(site, { ...renewal, looked: sha256(pem) }));
  // what was asked is answered: the next one is asked for as soon as it is due
  remember(site, { asked: null, turns: 0, looked: sha256(pem) });
  world.talk(`${config.name} is ${name} until ${notAfter}`);
}

/** Takes it in, or says that it was looked at: not where only the time that this site believes in speaks against it. */
function taken(site: Site, pem: Uint8Array, looked: () => void): ReturnType<typeof takeCertificate> {
  try {
    return takeCertificate(site, pem);
  } catch (error) {
    if (!(error instanceof SealaneError) || error.data['notAfter'] === undefined) looked();
    throw error;
  }
}

async function ask(site: Site, fetcher: Fetcher, request: JsonValue): Promise<void> {
  const { world, folder, config } = site;
  const renewal = readRenewal(site);
  const isEarly = renewal.asked?.bootId === world.clock.bootId() && secondsSince(renewal.asked, world.clock) < ASK_AGAIN_SECONDS;
  const { name, receiptsTo } = config;
  if (receiptsTo.length === 0 || isEarly) return;
  const { turns } = renewal;
  remember(site, { ...renewal, asked: momentOf(world.clock), turns: turns + 1 });
  const { problem } = await fetcher.certify({
    do: 'certify',
    site: name,
    // who answered with what is no certificate of this site would do so again, and keep all others from being asked
    receiptsTo: afterTurns(receiptsTo, turns),
    order: turns > 0 ? 'as-named' : 'as-they-work',
    request,
    mirror: folder.mirror,
  });
  if (problem !== null) world.talk(`no certificate yet: ${problem}`);
}

function readRenewal({ world, folder }: Site): Renewal {
  const { bootId, uptimeSeconds, turns, looked } = readSealed(world.disk, folder.renewal) ?? {};
  return {
    turns: typeof turns === 'number' ? turns : 0,
    asked: typeof bootId === 'string' && typeof uptimeSeconds === 'number' ? { bootId, uptimeSeconds } : null,
    looked: isDigest(looked) ? looked : null,
  };
}

function remember({ world, folder }: Site, { asked, turns, looked }: Renewal): void {
  world.disk.makeFolder(path.dirname(folder.renewal), 0o700);
  durableWrite(world.disk, folder.renewal, sealed({ ...asked, turns, looked }), 0o600);
}
