/**
 * What lies in a lane beside its log, and no row of the ledger repeats: channels under the keys of their stages, and content under its digests. That what a channel
 * offers is there whole is looked for too: its waybill and the documents that this lists, its shards and what waits for sites in them.
 */
import { type Digest, digestHex, LIMITS, SealaneError } from '@sealane/core';
import type { LedgerProblem } from '@sealane/ledger';
import {
  type Channel,
  channelPath,
  parseChannel,
  parseSiteShard,
  parseWaybill,
  readTarget,
  refreshTrust,
  trustFromRoot,
  type TufRead,
} from '@sealane/trust';
import { BEFORE_ALL_EXPIRY } from '../lane-trust.js';
import type { AuditContext } from './context.js';

/** A file by its name, and the digest of its bytes; undefined where it is none. */
export interface HashedFile {
  readonly name: string;
  readonly digest: Digest | undefined;
}

/** The published lane, but for its log. */
export interface LaneFiles {
  /** Reads files of the TUF repository. */
  readonly trust: TufRead;
  /** Every file of `content/blobs/sha256`. */
  readonly content: () => Iterable<HashedFile>;
}

/** What a writer that was killed leaves beside a blob. */
const LEFTOVER = /^\..*\.tmp$/;

/** Holds the files of a lane against its root, and each blob against its name. */
export function laneFileProblems({ roots, readBlob }: Pick<AuditContext, 'roots' | 'readBlob'>, lane: LaneFiles): readonly LedgerProblem[] {
  const files = [...lane.content()].filter(({ name }) => !LEFTOVER.test(name));
  const wrong = files
    .filter(({ name, digest }) => digest === undefined || name !== digestHex(digest))
    .map(({ name, digest }) => problem('content', name, 'bytes of that digest', digest ?? 'no file'));
  const channels = readChannels(roots, lane.trust);
  const isThere = new Set(files.map(({ name }) => name));
  const missing = channels.flatMap(({ stage, channel }) => missingOf(stage, channel, isThere, readBlob));
  return [...channels.flatMap(({ problems }) => problems), ...wrong, ...new Map(missing.map((one) => [one.key, one])).values()];
}

interface ReadChannel {
  readonly stage: string;
  readonly channel: Channel | undefined;
  readonly problems: readonly LedgerProblem[];
}

function readChannels([root]: readonly Uint8Array[], read: TufRead): readonly ReadChannel[] {
  if (root === undefined) return [];
  const trusted = refreshTrust({ state: trustFromRoot(root), read, now: BEFORE_ALL_EXPIRY, expiry: 'network' });
  const stages = [...trusted.snapshot.roles.keys()].filter((role) => role !== 'targets');
  return stages.map((stage) => {
    const path = channelPath(stage);
    try {
      return { stage, channel: parseChannel(readTarget({ trusted, read, path, role: stage }).bytes), problems: [] };
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      return { stage, channel: undefined, problems: [problem('trust', path, `what the key of ${stage} signed`, error.message)] };
    }
  });
}

/** What of the releases that a channel offers is not there, and of what waits in it for sites. */
function missingOf(
  stage: string,
  channel: Channel | undefined,
  isThere: ReadonlySet<string>,
  readBlob: AuditContext['readBlob'],
): readonly LedgerProblem[] {
  if (channel === undefined) return [];
  const { groups, rollback, revoked, shards = [] } = channel;
  const absent = (digest: Digest, what: string): readonly LedgerProblem[] =>
    isThere.has(digestHex(digest)) ? [] : [problem('content', digestHex(digest), what, 'no file')];
  const bytesOf = (digest: Digest): Uint8Array | undefined => (isThere.has(digestHex(digest)) ? readBlob(digest) : undefined);
  const offered = [...groups, ...rollback].filter(({ release }) => !revoked.some((one) => one.release === release));
  return [
    ...offered.flatMap(({ release, waybill }) => {
      const bytes = bytesOf(waybill);
      const listed = bytes === undefined || bytes.length > LIMITS.waybillBytes ? [] : parseWaybill(bytes).blobs;
      const of = `of ${release}, which ${stage} offers`;
      return [...absent(waybill, `the waybill ${of}`), ...listed.flatMap(({ digest }) => absent(digest, `a document ${of}`))];
    }),
    ...shards.flatMap(({ prefix, digest }) => {
      const bytes = bytesOf(digest);
      const waiting = bytes === undefined ? [] : parseSiteShard(bytes).sites;
      const of = (site: string): string => `what waits for ${site} in the channel of ${stage}`;
      return [
        ...absent(digest, `shard ${prefix} of the channel of ${stage}`),
        ...waiting.flatMap(({ site, exceptions, secrets = [], retirement }) =>
          [...exceptions, ...secrets, ...(retirement === undefined ? [] : [retirement])].flatMap((sent) => absent(sent.digest, of(site))),
        ),
      ];
    }),
  ];
}

/** A blob is named as its file is. */
function problem(where: 'content' | 'trust', key: string, expected: string, actual: string): LedgerProblem {
  return { where, key, expected, actual };
}
