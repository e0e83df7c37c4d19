/** Ties another lane's log to this one: what it says of a release is verified under its own checkpoint, kept, and named by a statement in this log. */
import path from 'node:path';
import { canonicalJson, type Digest, LIMITS, parseVkey, PREDICATE, PromoterError, sha256 } from '@sealane/core';
import {
  type AnchoredStatement,
  type AnchorPredicate,
  anchorStatement,
  type OtherLog,
  otherLogHead,
  otherLogSubject,
  type ParsedBundle,
  readAnchor,
  verifyOtherStatement,
} from '@sealane/trust';
import { writeBlob } from '../decision/waybill.js';
import { readNamed, readOptional } from '../disk-shell.js';
import { type LoggedStatement, signAndLog, statementOf, tryWitness } from '../log/log-statements.js';
import { type Promoter, stageSigner } from '../promoter.js';
import { publishLogFiles } from '../trust/publish-lane.js';
import { CARRIED, readCarried } from './carried-statements.js';

export interface AnchoredLog {
  readonly release: Digest;
  readonly origin: string;
  readonly size: number;
  readonly anchored: number;
  readonly statements: readonly LoggedStatement[];
}

/**
 * Anchors what a folder of `evidence export` says. The first time a log is anchored its keys are taken as they are given; from then on they must be the
 * same, unless the operator says that its owners have replaced one, and its checkpoint must extend the one anchored last: a log that was rewritten meanwhile is refused.
 *
 * @throws PromoterError `LOG_KEYS_CHANGED`; TrustError `LOG_FORK`, `LOG_WITNESS`, `LOG_NOT_INCLUDED`, `WAYBILL_SIGNATURE`
 */
export async function anchorLog(promoter: Promoter, folder: string, other: OtherLog, keys: 'as before' | 'new'): Promise<AnchoredLog> {
  const { name: origin } = parseVkey(other.log);
  const before = await lastAnchor(promoter, origin);
  if (before !== undefined && keys === 'as before') expectSameKeys(before, other);
  const { size } = otherLogHead({ read: (file) => readOptional(path.join(folder, file)) }, other, before?.checkpoint ?? null);
  const checkpoint = new TextDecoder().decode(readNamed(path.join(folder, CARRIED.log, 'checkpoint'), 'checkpoint'));
  const { release, statements } = readCarried(folder);
  const anchored = statements.map(({ bundle }) => anchoredStatement(promoter, bundle, other, checkpoint));
  const predicate = { ...other, origin, checkpoint, statements: anchored };
  const rest = { release, origin, size, anchored: anchored.length };
  const logged = await findAnchor(promoter, release, predicate);
  if (logged !== undefined) return { ...rest, statements: [logged] };
  const stage = [...promoter.lane.stages.keys()].at(-1) ?? '';
  const payload = anchorStatement(release, { ...predicate, salt: promoter.randomHex() });
  const { index, statementDigest } = await signAndLog(promoter.ledger, payload, await stageSigner(promoter, stage));
  if (await tryWitness(promoter)) await publishLogFiles(promoter);
  return { ...rest, statements: [{ predicateType: PREDICATE.anchor, digest: statementDigest, logIndex: index }] };
}

/** Verifies one statement and keeps its bundle. All are proved under the one checkpoint of the folder. */
function anchoredStatement(promoter: Promoter, bundle: ParsedBundle, other: OtherLog, checkpoint: string): AnchoredStatement {
  const { digest, logIndex, statement } = verifyOtherStatement(bundle, other);
  if (bundle.logged?.proof.checkpoint !== checkpoint)
    throw new PromoterError(
      'LOG_NOT_INCLUDED',
      `anchor statement ${digest}: expected its proof under log/checkpoint, got one under another`,
    );
  const bytes = canonicalJson(bundle.json);
  if (bytes.length > LIMITS.bundleBytes)
    throw new PromoterError(
      'TRUST_TOO_LARGE',
      `anchor statement ${digest}: expected a bundle of at most ${LIMITS.bundleBytes} bytes, got ${bytes.length}`,
    );
  return { digest, predicateType: statement.predicateType, logIndex, bundle: { digest: writeBlob(promoter, bytes), length: bytes.length } };
}

async function lastAnchor({ ledger }: Promoter, origin: string): Promise<AnchorPredicate | undefined> {
  const entry = (await ledger.statementsAbout(otherLogSubject(origin), PREDICATE.anchor)).at(-1);
  return entry === undefined ? undefined : readAnchor(statementOf(entry));
}

/** The anchor of this very content, where there is one: carrying the same folder in twice is one statement. */
async function findAnchor({ ledger }: Promoter, release: Digest, wanted: AnchorPredicate): Promise<LoggedStatement | undefined> {
  for (const entry of await ledger.statementsAbout(release, PREDICATE.anchor)) {
    const { salt: _salt, ...said } = readAnchor(statementOf(entry));
    if (sha256(canonicalJson(said)) === sha256(canonicalJson(wanted)))
      return { predicateType: PREDICATE.anchor, digest: entry.statementDigest, logIndex: entry.index };
  }
  return undefined;
}

function expectSameKeys(before: AnchorPredicate, { log, witnesses, quorum }: OtherLog): void {
  const isSame = before.log === log && before.witnesses.join('\n') === witnesses.join('\n') && before.quorum === quorum;
  if (isSame) return;
  throw new PromoterError(
    'LOG_KEYS_CHANGED',
    `anchor the log of ${before.origin}: expected log ${before.log} with ${before.quorum} of ${before.witnesses.join(', ')}, as it was anchored before, got others`,
  );
}
