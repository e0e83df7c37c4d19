/** Step 2: the log. The lane's checkpoint under its quorum, and its consistency with every other checkpoint that is relied on. */
import {
  type Checkpoint,
  consistencyProof,
  CoreError,
  emptyRoot,
  equalBytes,
  fromUtf8,
  LIMITS,
  parseCheckpoint,
  type QuorumCheckpoint,
  TrustError,
  verifyConsistency,
} from '@sealane/core';
import { quorumOf } from '../evidence/statement-checks.js';
import type { VerifyTrust } from '../evidence/verify-trust.js';
import type { LaneReader } from './lane-reader.js';
import { readTile } from './log-tiles.js';

/** The lane's log as shown now. */
export interface LogView {
  readonly head: QuorumCheckpoint;
  /**
   * Checks that a checkpoint of this log is a prefix of the lane's; one of another log is passed over.
   *
   * @throws TrustError `LOG_FORK` it is not; `LOG_NOT_INCLUDED` a tile that would show it is not there
   */
  expectPrefix(other: Pick<Checkpoint, 'origin' | 'size' | 'root'>): void;
}

/**
 * Opens the lane's log.
 *
 * @throws TrustError `LOG_NOT_INCLUDED` no checkpoint, or not signed by the log; `LOG_WITNESS`; `LOG_FORK` not an extension of the one seen last
 */
export function openLog(reader: LaneReader, origin: string, trust: VerifyTrust, seenCheckpoint: string | null): LogView {
  const note = reader.file('log/checkpoint', LIMITS.checkpointBytes);
  const log = trust.logs.find((candidate) => candidate.origin === origin);
  if (note === undefined || log === undefined)
    throw new TrustError('LOG_NOT_INCLUDED', `read log/checkpoint: expected the checkpoint of ${origin}, got nothing`);
  const head = quorumOf(textOf(note), log, trust);
  const view: LogView = { head, expectPrefix: (other) => expectPrefix(reader, head.checkpoint, other) };
  if (seenCheckpoint !== null) view.expectPrefix(parseCheckpoint(seenCheckpoint));
  return view;
}

function expectPrefix(reader: LaneReader, head: Checkpoint, other: Pick<Checkpoint, 'origin' | 'size' | 'root'>): void {
  // another log: a lane that went on under a new origin starts its history anew, by policy
  if (other.origin !== head.origin) return;
  if (other.size > head.size) throw forked(head, other, 'is longer than the one shown');
  if (other.size === 0) {
    if (!equalBytes(other.root, emptyRoot())) throw forked(head, other, 'is no empty log');
    return;
  }
  try {
    const proof = consistencyProof(other.size, head.size, (tile) => readTile(reader, tile));
    verifyConsistency({ size1: other.size, size2: head.size, root1: other.root, root2: head.root, proof });
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    throw forked(head, other, 'does not begin the one shown', error);
  }
}

function textOf(note: Uint8Array): string {
  try {
    return fromUtf8(note);
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    throw new TrustError('LOG_NOT_INCLUDED', 'read log/checkpoint: expected a signed note, got bytes that are no text', {}, { cause });
  }
}

function forked(head: Checkpoint, other: Pick<Checkpoint, 'origin' | 'size'>, how: string, cause?: Error): TrustError {
  const message = `compare logs of ${head.origin}: expected the checkpoint of ${other.size} entries to begin the one of ${head.size}, but it ${how}`;
  return new TrustError('LOG_FORK', message, { size: head.size, otherSize: other.size }, cause === undefined ? {} : { cause });
}
