/** What `apply` asks `fetch` for, and what its answer leaves to do. */
import { type Digest, parseCheckpoint } from '@sealane/core';
import { MAX_RECORD_BYTES, readRecordFile, readSiteRecord, type SiteRecordPredicate } from '@sealane/trust';
import { timestampIn } from '../fetch/brought.js';
import type { SyncAnswer } from '../fetch/protocol.js';
import type { SoughtReceipt, SyncJob } from '../fetch/sync-job.js';
import type { Site } from '../site.js';
import type { Fetcher } from './fetch-shell.js';
import { noteLink } from './link-note.js';
import type { Machine } from './machine.js';
import type { SiteState } from './state.js';
import { readTrustFile, type TrustFile } from './trust-file.js';
import { trustedNow } from './trusted-time.js';

/** Judgements in one command: a lane has news every few minutes at most, and the next command goes on. A `fetch` that is not ours any more could ask for ever. */
export const MAX_ROUNDS = 64;

/** Asks `fetch` to bring the mirror up to date, and notes what it ran into. Without upstreams there is nothing to ask: media are all. */
export async function syncMirror(site: Site, machine: Machine, fetcher: Fetcher, judged: Digest | null): Promise<SyncAnswer> {
  const { world, folder, config } = site;
  const trust = readTrustFile(world.disk, folder.trust);
  const answer = config.upstreams.length === 0 ? mediaOnly(site) : await fetcher.sync(syncOrder(site, machine, trust, judged));
  // what is to be judged first is not the last word
  if (!isToJudge(answer)) noteLink(world.disk, folder.link, answer, trustedNow(trust.time, world.clock));
  return answer;
}

function syncOrder(site: Site, machine: Machine, trust: TrustFile, judged: Digest | null): Parameters<Fetcher['sync']>[0] {
  const { folder, config } = site;
  const refused = machine.state().refused?.code;
  // bytes or tiles were wrong: what is in the mirror is not taken for granted
  const recheck = refused !== undefined && /^(?:CONTENT|LOG)_/.test(refused);
  return {
    do: 'sync',
    places: config.upstreams,
    pollSeconds: config.pollSeconds,
    mirror: folder.mirror,
    offer: folder.offer,
    job: { ...syncJob(site, trust), recheck, judged, ...receiptsWanted(machine.state(), []) },
  };
}

/** Where media are all that a site gets, one that never came is what it waits for. */
function mediaOnly({ world, folder }: Site): SyncAnswer {
  const nothing = { upstream: null, requests: 0, bytes: 0, fetched: 0, kept: 0 };
  if (timestampIn(world.disk, folder) !== undefined) return { outcome: 'unchanged', code: null, message: '', ...nothing };
  return { outcome: 'failed', code: 'FETCH_FAILED', message: 'site.yaml names no upstream, and no medium was imported yet', ...nothing };
}

/** Whether a sync ended because what it brought is to be judged before content is. */
export function isToJudge({ outcome, code }: SyncAnswer): boolean {
  return outcome === 'partial' && code === null;
}

/** What this site wants of a lane over a network. */
export function syncJob(site: Site, trust: TrustFile): SyncJob {
  return {
    stage: site.config.stage,
    site: site.config.name,
    labels: recordOf(site)?.labels ?? null,
    tuf: trust.tuf,
    now: trustedNow(trust.time, site.world.clock),
    expiry: 'network',
    seenSize: trust.seenCheckpoint === null ? 0 : parseCheckpoint(trust.seenCheckpoint).size,
    recheck: false,
    mirrorBytes: site.config.mirrorBytes ?? null,
    judged: null,
  };
}

/** Receipts that the log is still to show, if there are any. */
export function receiptsWanted({ receipts }: SiteState, sought: readonly SoughtReceipt[]): Pick<SyncJob, 'receipts'> {
  return receipts.seq > receipts.sent ? { receipts: { above: receipts.sent, sought } } : {};
}

/** The record of this site, not verified here: for what to fetch, not for what to install. */
function recordOf({ world, folder }: Site): SiteRecordPredicate | undefined {
  const bytes = world.disk.read(folder.record, MAX_RECORD_BYTES);
  return bytes === undefined ? undefined : readSiteRecord(readRecordFile(bytes).record.statement);
}

/** What stands for the trust that lies in the mirror now. */
export function judgedNow({ world, folder }: Site): Digest | null {
  return timestampIn(world.disk, folder) ?? null;
}
