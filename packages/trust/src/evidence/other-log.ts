/** Another lane's log, as whoever brings it here names its keys: its checkpoint, its growth since the last time, and what it says. */
import { type Checkpoint, keyIdOf, parseVkey, TrustError } from '@sealane/core';
import { openLog } from '../admission/log-step.js';
import { laneReader } from '../admission/lane-reader.js';
import type { LaneView } from '../admission/types.js';
import type { ParsedBundle } from './bundle.js';
import { trustedRootFromPolicy } from './trusted-root.js';
import type { VerifiedStatement } from './statement-checks.js';
import { verifyStatement } from './verify-statement.js';
import { logKeyOf, type VerifyTrust } from './verify-trust.js';

/** The keys of a log: verifier keys as text, and how many witnesses must have cosigned. */
export interface OtherLog {
  readonly log: string;
  readonly witnesses: readonly string[];
  readonly quorum: number;
}

/**
 * The head of another log, read from its `log/checkpoint` and tiles: signed by it, cosigned by its quorum, and an extension of `before` (a signed note, null the first time).
 *
 * @throws TrustError `LOG_NOT_INCLUDED`, `LOG_WITNESS`, `LOG_FORK`; CoreError `NOTE_MALFORMED` a key that is none
 */
export function otherLogHead(lane: LaneView, other: OtherLog, before: string | null): Checkpoint {
  return openLog(laneReader(lane), parseVkey(other.log).name, trustOf(other, []), before).head.checkpoint;
}

/**
 * Verifies a bundle under another log's own checkpoint. Its key is the one that is logged with it: whose that is, that lane's policy says.
 *
 * @throws TrustError as `verifyStatement`
 */
export function verifyOtherStatement(bundle: ParsedBundle, other: OtherLog): VerifiedStatement {
  if (bundle.logged === null)
    throw new TrustError('LOG_NOT_INCLUDED', `verify statement ${bundle.statementDigest}: expected its log proof, got none`);
  return verifyStatement(bundle, { trust: trustOf(other, [bundle.logged.leaf.spki]) });
}

function trustOf({ log, witnesses, quorum }: OtherLog, keys: readonly Uint8Array[]): VerifyTrust {
  const key = logKeyOf(log);
  const origin = key.vkey.name;
  return {
    registrar: [],
    keys: new Map(keys.map((spki) => [keyIdOf(spki), { spki, origin, fromIndex: 0, untilIndex: null }])),
    logs: [{ origin, ...key, past: [] }],
    // who may sign keyless there, and who vouches for it, its policy says and its log does not
    identities: new Map(),
    needsCtLog: false,
    witnesses: witnesses.map(parseVkey),
    pastWitnesses: [],
    quorum,
    trustedRoot: trustedRootFromPolicy({ logs: [{ origin, baseUrl: `https://${origin}`, vkey: log }] }),
  };
}
