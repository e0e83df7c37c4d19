/**
 * What lies in a lane beside its log, and no row of the ledger repeats: channels under the keys of their stages, and content under its digests. That what a channel
 * offers is there whole is looked for too: its waybill, and the documents that this lists.
 */
import { type Digest, digestHex, LIMITS, SealaneError } from '@sealane/core';
import type { LedgerProblem } from '@sealane/ledger';
import {
  type Channel,
  channelPath,
  parseChannel,
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
  /** Every file of `content/blobs/sha256`; none where the content is elsewhere. */
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
  const missing = files.length === 0 ? [] : channels.flatMap(({ stage, channel }) => missingOf(stage, channel, isThere, readBlob));
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

/** What of the releases that a channel offers is not there. */
function missingOf(
  stage: string,
  channel: Channel | undefined,
  isThere: ReadonlySet<string>,
  readBlob: AuditContext['readBlob'],
): readonly LedgerProblem[] {
  if (channel === undefined) return [];
  const { groups, rollback, revoked } = channel;
  const offered = [...groups, ...rollback].filter(({ release }) => !revoked.some((one) => one.release === release));
  return offered.flatMap(({ release, waybill }) => {
    const absent = (name: string, what: string): LedgerProblem[] =>
      isThere.has(name) ? [] : [problem('content', name, `${what} of ${release}, which ${stage} offers`, 'no file')];
    const bytes = isThere.has(digestHex(waybill)) ? readBlob(waybill) : undefined;
    const listed = bytes === undefined || bytes.length > LIMITS.waybillBytes ? [] : parseWaybill(bytes).blobs;
    return [...absent(digestHex(waybill), 'the waybill'), ...listed.flatMap(({ digest }) => absent(digestHex(digest), 'a document'))];
  });
}

/** A blob is named as its file is. */
function problem(where: 'content' | 'trust', key: string, expected: string, actual: string): LedgerProblem {
  return { where, key, expected, actual };
}
