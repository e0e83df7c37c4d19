/**
 * One sync: what the lane publishes for this site, into the mirror: trust from the first place that has it, then content from whichever has that.
 *
 * `fetch` follows the TUF workflow with a copy of the trust state only to know what to get. What it finds is not a verdict: `apply` verifies
 * again, with its own state, what lies in the mirror.
 */
import { canonicalJson, type Digest, SealaneError, sha256, TrustError } from '@sealane/core';
import type { Waybill } from '@sealane/trust';
import { blobSource, FAILURES } from './blob-source.js';
import { fetchContent, lackingOf } from './content-wants.js';
import { Unchanged } from './metadata-wants.js';
import { MISSING, type Mirror } from './mirror.js';
import { answerTo, failureOf, type SyncEnd } from './sync-answer.js';
import type { SyncAnswer } from './protocol.js';
import type { Place } from './routes/place.js';
import { freePace, type Pace } from './routes/pace.js';
import { News, paceTo } from './sync-pace.js';
import type { LaneFiles, SyncJob } from './sync-job.js';
import type { SyncRun } from './sync-run.js';
import { fetchTrust } from './trust-wants.js';
import { emptyTally, type Tally } from './tally.js';

const TIMESTAMP = 'trust/metadata/timestamp.json';

/** Most of a timestamp that is looked at to see whether a place that was left answers again. */
const PROBE_BYTES = 64 * 1024;

/** Syncs. Never rejects for what an upstream does. */
export async function sync(run: SyncRun): Promise<SyncAnswer> {
  run.mirror.clearOffer();
  const end = await syncTrust(run);
  if (end.is === 'refused') for (const [name, bytes] of end.files) run.mirror.offer(name, bytes);
  await lookAgain(run);
  return answerTo(end, run.links.cost());
}

/** Tries places in order until one has trust that holds. What a refused one offered is kept for `apply` unless another one served better. */
async function syncTrust(run: SyncRun): Promise<SyncEnd> {
  const { routes } = run;
  let best: SyncEnd = { is: 'failed', at: null, code: 'FETCH_FAILED', message: 'no upstream is configured' };
  for (const place of routes.order(carrying(run, 'trust'))) {
    const end = await syncFrom(place, run);
    if (end.is !== 'refused' && end.is !== 'failed') return end;
    // one that is only unreachable says less than one that serves something wrong
    if (best.at === null || (best.is === 'failed' && end.is === 'refused')) best = end;
  }
  return best;
}

function carrying({ places }: SyncRun, use: 'trust' | 'content'): readonly Place[] {
  return places.filter(({ carries }) => carries.includes(use));
}

/** Trust from one place, and what it asks for. The timestamp is written last: broken off before, the mirror is the one before, with more blobs. */
async function syncFrom(place: Place, run: SyncRun): Promise<SyncEnd> {
  const { at } = place;
  const { routes, job } = run;
  const files = new Map<string, Uint8Array>();
  const tally = emptyTally();
  let waybills: readonly Waybill[];
  try {
    waybills = await trustFrom(place, run, files, tally);
    routes.served(at);
  } catch (error) {
    if (error instanceof Unchanged) {
      routes.served(at);
      return { is: 'unchanged', at };
    }
    if (error instanceof TrustError) {
      routes.failed(at, 'wrong');
      if (job.expiry === 'medium' && files.size === 0) await standFor(place, run, files);
      return { is: 'refused', at, code: error.code, message: error.message, files };
    }
    const why = error instanceof SealaneError ? FAILURES[error.code] : undefined;
    if (why !== undefined && why !== 'spent') routes.failed(at, why);
    return failureOf(at, error);
  }
  // a medium is taken in whole or not at all
  if (job.expiry === 'network') writeLast(run, files);
  return await contentOf(place, run, { files, tally, waybills });
}

/**
 * A root that has expired is refused before anything else is read. What `apply` judges by itself, since it takes no reason of `fetch` for it, is then the timestamp of the medium.
 */
async function standFor(place: Place, { links }: SyncRun, files: Map<string, Uint8Array>): Promise<void> {
  try {
    const bytes = await links.to(place, 'trust').get(TIMESTAMP, PROBE_BYTES);
    if (bytes !== undefined) files.set(TIMESTAMP, bytes);
  } catch (error) {
    // there is none that could be judged: it is a link, or endless
    if (!(error instanceof SealaneError)) throw error;
  }
}

async function trustFrom(place: Place, run: SyncRun, files: Map<string, Uint8Array>, tally: Tally): Promise<readonly Waybill[]> {
  const { mirror, job, links, routes } = run;
  const mark = mirror.mark();
  const wantsNothing = (timestamp: Uint8Array): boolean =>
    !job.recheck && mark?.timestamp === sha256(timestamp) && mark.job === jobDigest(job);
  // a waybill may be somewhere else, and is needed to judge anything
  const places = [place, ...carrying(run, 'content').filter(({ at }) => at !== place.at)];
  const waybillsFrom = blobSource({ mirror, links, routes, places, use: 'trust', paceOf: freePaceOf });
  return await fetchTrust(links.to(place, 'trust'), waybillsFrom, mirror, job, files, tally, wantsNothing);
}

function freePaceOf({ at, minBytesPerSecond: minRate }: Place): Pace {
  return freePace({ at, minRate });
}

interface TrustThere {
  readonly files: LaneFiles;
  readonly tally: Tally;
  readonly waybills: readonly Waybill[];
}

async function contentOf(place: Place, run: SyncRun, { files, tally, waybills }: TrustThere): Promise<SyncEnd> {
  const { mirror, job, links, routes } = run;
  const timestamp = files.get(TIMESTAMP);
  const isJudged = timestamp !== undefined && sha256(timestamp) === job.judged;
  const lacking = await lackingOf(mirror, waybills);
  for (const release of lacking) run.brings.releases.add(release);
  if (job.expiry === 'network' && !isJudged && lacking.length > 0)
    return { is: 'partial', at: place.at, tally, code: null, message: 'content is brought once this is judged' };
  const pace = paceTo(run, async () => {
    // content may be under way for hours; what is current may change meanwhile
    const bytes = await links.to(place, 'trust').get(TIMESTAMP, PROBE_BYTES);
    if (bytes !== undefined && timestamp !== undefined && sha256(bytes) !== sha256(timestamp)) throw new News();
  });
  const source = blobSource({ mirror, links, routes, places: carrying(run, 'content'), use: 'content', paceOf: pace });
  const rest = { at: place.at, tally };
  try {
    await fetchContent(source, mirror, job.recheck ? 'bytes' : 'size', waybills, tally, job.mirrorBytes);
  } catch (error) {
    if (error instanceof News) return await syncFrom(place, run);
    if (error instanceof SealaneError && FAILURES[error.code] !== undefined && job.expiry === 'network')
      return { is: 'partial', ...rest, code: error.code, message: error.message };
    return failureOf(place.at, error);
  }
  const isWhole = tally.absent.length === 0 && tally.wrong.length === 0;
  if (job.expiry === 'medium' && isWhole) writeLast(run, files);
  if (isWhole) finish(run, files, tally);
  const [absent] = tally.absent;
  if (job.expiry === 'medium' && absent !== undefined)
    mirror.offer(`${MISSING}/${absent.slice(absent.lastIndexOf('/') + 1)}`, new Uint8Array());
  return { is: 'synced', ...rest };
}

function writeLast({ mirror }: SyncRun, files: LaneFiles): void {
  const names = [...files.keys()].filter((name) => name !== TIMESTAMP);
  for (const name of [...names, TIMESTAMP]) {
    const bytes = files.get(name);
    if (bytes !== undefined) mirror.write(name, bytes);
  }
}

/** All is there: marks it, and drops blobs that no release wants any more, and trust that newer one has replaced. */
function finish({ mirror, job, brings }: SyncRun, files: LaneFiles, { wanted, named }: Tally): void {
  const timestamp = files.get(TIMESTAMP);
  const before = mirror.mark()?.names ?? [];
  if (timestamp !== undefined) mirror.setMark({ timestamp: sha256(timestamp), job: jobDigest(job), names: [...named] });
  brings.isWhole = true;
  // what an interrupted download left of a blob that nobody wants any more
  mirror.remove('partial');
  const folder = 'content/blobs/sha256';
  for (const name of mirror.list(folder)) if (!wanted.has(name)) mirror.remove(`${folder}/${name}`);
  dropSuperseded(mirror, new Set([...before, ...named]));
}

/** What a whole sync of before used stays for one more: a neighbour may be in the middle of reading it. Roots stay for good. */
function dropSuperseded(mirror: Mirror, used: ReadonlySet<string>): void {
  const files = ['trust', 'log'].flatMap((folder) => mirror.filesBelow(folder));
  for (const file of files) if (!used.has(file) && !/^trust\/metadata\/\d+\.root\.json$/.test(file)) mirror.remove(file);
}

function jobDigest({ stage, site, labels }: SyncJob): Digest {
  return sha256(canonicalJson({ stage, site, labels }));
}

/** Whether places that were left answer again: one small request to each that is due. That it serves what is right shows when it is used. */
async function lookAgain({ routes, places, links }: SyncRun): Promise<void> {
  for (const place of routes.due(places)) {
    try {
      await links.to(place, 'trust').get(TIMESTAMP, PROBE_BYTES);
      routes.served(place.at);
    } catch (error) {
      const why = error instanceof SealaneError ? FAILURES[error.code] : undefined;
      if (why === undefined || why === 'spent') throw error;
      routes.failed(place.at, why);
    }
  }
}
