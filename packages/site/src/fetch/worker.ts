/** What `fetch` does with a request: a sync over the places that it names, receipts in their order, a request for a certificate. */
import { askForCertificate } from './certify.js';
import { openLinks } from './links.js';
import { openMirror } from './mirror.js';
import type { CertifyAnswer, FetchRequest, FlushAnswer, SyncAnswer } from './protocol.js';
import { flushReceipts } from './receipts-flush.js';
import { openRoutes } from './routes/routes.js';
import { sync } from './sync.js';
import { answerTo, failureOf } from './sync-answer.js';
import type { FetchWorld } from './sync-run.js';

/** Serves one request; never rejects for what an upstream does. */
export async function serveFetch(
  request: FetchRequest,
  world: FetchWorld,
): Promise<{ readonly synced: SyncAnswer } | { readonly flushed: FlushAnswer } | { readonly certified: CertifyAnswer }> {
  if (request.do === 'flush') return { flushed: await flushReceipts(request, world) };
  if (request.do === 'certify') return { certified: await askForCertificate(request, world) };
  return { synced: await syncPlaces(request, world) };
}

/** What stops it before any place was asked, or after all were, is its own disk. */
async function syncPlaces(request: Extract<FetchRequest, { do: 'sync' }>, world: FetchWorld): Promise<SyncAnswer> {
  try {
    return await syncOver(request, world);
  } catch (error) {
    return answerTo(failureOf(null, error), { requests: 0, bytes: 0 });
  }
}

async function syncOver(request: Extract<FetchRequest, { do: 'sync' }>, world: FetchWorld): Promise<SyncAnswer> {
  const { job, places, pollSeconds } = request;
  const mirror = openMirror(world, request.mirror, request.offer);
  const day = job.now.slice(0, 10);
  const routes = openRoutes(request.mirror, world, day, pollSeconds);
  const links = openLinks(world.disk, world.signal);
  try {
    return await sync({ world, job, places, mirror, links, routes });
  } finally {
    // a medium is no place of this site: what is known of those stays as it is
    if (job.expiry === 'network') {
      for (const at of new Set(places.map((place) => place.at))) routes.carried(at, links.cost(at).bytes);
      routes.save(places.map(({ at }) => at));
    }
    await links.close();
  }
}
