/** What `fetch` does with a request: a sync over the places that it names, receipts in their order, a request for a certificate. */
import { askForCertificate } from './certify.js';
import { linkMeters } from './link-meter.js';
import { openLinks } from './links.js';
import { dropMeasured, noteMeasured } from './measured-file.js';
import { openMirror } from './mirror.js';
import type { CertifyAnswer, FetchRequest, FlushAnswer, SyncAnswer } from './protocol.js';
import { flushReceipts } from './receipts-flush.js';
import { openRoutes } from './routes/routes.js';
import type { SyncRun } from './sync-run.js';
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
  const meters = linkMeters();
  const links = openLinks(world.disk, world.signal, meters);
  const brings: SyncRun['brings'] = { releases: new Set(), isWhole: false };
  try {
    return await sync({ world, job, places, mirror, links, routes, meters, brings });
  } finally {
    // a medium is no place of this site: what is known of those stays as it is
    if (job.expiry === 'network') {
      for (const at of new Set(places.map((place) => place.at))) routes.carried(at, links.cost(at).bytes);
      routes.save(places.map(({ at }) => at));
      noteMeasured(world.disk, request.mirror, { releases: [...brings.releases], isWhole: brings.isWhole, links: meters.measured() });
    } else if (brings.releases.size > 0 && brings.isWhole) {
      dropMeasured(world.disk, request.mirror);
    }
    await links.close();
  }
}
