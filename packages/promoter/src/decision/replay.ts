/**
 * Replay: a decision made again from the ledger as it was before it and the policy that it names. No key, no network, no clock: what was known
 * then is in the log, and the time that counts is that of the checkpoint which witnesses had cosigned.
 */
import { type Digest, digestHex, isDigest, LIMITS, PREDICATE, PromoterError } from '@sealane/core';
import { type Ledger, type LedgerEntry, pastLedger } from '@sealane/ledger';
import {
  type DecisionPredicate,
  decisionPolicy,
  type GateInput,
  parsePolicy,
  policyDigest,
  readDecision,
  type RecordedCheck,
  verifyLedgerRow,
  verifyTrustOf,
  type WitnessedTime,
} from '@sealane/trust';
import type { Home } from '../home.js';
import { statementOf } from '../log/log-statements.js';
import { type LaneTrust, readBelow, type StageTrust } from '../trust/lane-trust.js';
import { emptyChannel } from '../trust/publish-lane.js';
import { VERSION } from '../version.js';
import type { GateSource } from './gate-source.js';
import { judge } from './judge.js';
import { recordedCheck } from './recorded.js';
import { ledgerRow } from './verify-entry.js';

/** A copy of a ledger and its lane, wherever it lies. */
export interface LaneCopy {
  readonly home: Pick<Home, 'content' | 'trust'>;
  readonly ledger: Ledger;
  readonly lane: Pick<LaneTrust, 'stages'>;
}

/** A field of a check that came out otherwise. */
export interface Difference {
  readonly field: string;
  readonly recorded: string;
  readonly replayed: string;
}

/** One check, as the decision recorded it and as it comes out now; null where there is none. */
export interface ReplayedCheck {
  readonly id: string;
  readonly recorded: RecordedCheck | null;
  readonly replayed: RecordedCheck | null;
  readonly differences: readonly Difference[];
}

/** A decision made again. `sameVerdict`: the decision and each of its checks come out with the verdict that was recorded. */
export interface Replay {
  readonly decision: Digest;
  readonly logIndex: number;
  readonly release: Digest;
  readonly to: string;
  readonly policy: Digest;
  readonly recorded: DecisionPredicate['verificationResult'];
  /** Null: what was known then cannot be read any more. */
  readonly replayed: 'PASSED' | 'FAILED' | 'PENDING' | null;
  readonly sameVerdict: boolean;
  readonly checks: readonly ReplayedCheck[];
  readonly judgedAt: { readonly recorded: WitnessedTime | null; readonly replayed: WitnessedTime | null };
  /** The program that decided (null: it did not say) and this one. */
  readonly version: { readonly recorded: string | null; readonly replayed: string };
}

const RESULT = { passed: 'PASSED', refused: 'FAILED', pending: 'PENDING' } as const;

/** A replay, and what it was judged from. */
export interface Replayed {
  readonly replay: Replay;
  readonly input: GateInput;
}

/**
 * The entry of a decision that is named by the digest of its statement or by its log index.
 *
 * @throws PromoterError `USAGE` it is neither; `STATEMENT_UNKNOWN`; LedgerError `STATEMENT_UNKNOWN`
 */
export async function entryNamed(ledger: Pick<Ledger, 'entry' | 'byStatement'>, name: string): Promise<LedgerEntry> {
  if (/^\d{1,15}$/.test(name)) return await ledger.entry(Number(name));
  if (!isDigest(name))
    throw new PromoterError('USAGE', `read DECISION: expected sha256: and 64 hex digits, or a log index, got ${name.slice(0, 80)}`);
  const [found] = await ledger.byStatement(name);
  if (found === undefined) throw new PromoterError('STATEMENT_UNKNOWN', `look up decision ${name}: it is not in the ledger`);
  return found;
}

/**
 * Makes a decision again.
 *
 * @throws PromoterError `STATEMENT_UNKNOWN` it is not in the ledger, or no decision; `CONTENT_MISSING` the lane has not the policy it names;
 * TrustError `EVIDENCE_SIGNER`, `WAYBILL_SIGNATURE`, `KEY_REVOKED` it is not by the stage's key
 */
export async function replay(copy: LaneCopy, entry: LedgerEntry): Promise<Replayed> {
  const decision = decisionIn(entry);
  const { to, rollout, release, checks, judgedAt } = decision.sealane_promotion;
  const stage = stageUnder(copy, to, decisionPolicy(decision));
  const row = await ledgerRow(copy, entry);
  verifyLedgerRow(row, { trust: verifyTrustOf(stage.policy), signers: stage.policy.chain.at(-1)?.keys ?? [] });
  const source: GateSource = {
    home: copy.home,
    ledger: pastLedger(copy.ledger, entry.index),
    lane: { stages: new Map([...copy.lane.stages, [to, stage]]) },
    // only a lane that no witness had seen was judged by a clock: the one that the decision names
    now: () => judgedAt?.lowest ?? decision.timeVerified,
  };
  const judged = await judge(source, { release, stage: to, rollout }, 'witnessed');
  const compared = compare(checks, judged.checks.map(recordedCheck));
  const [recorded, replayed] = [decision.verificationResult, RESULT[judged.verdict]];
  return {
    input: judged.input,
    replay: {
      ...recordIn(entry, decision),
      replayed,
      sameVerdict: recorded === replayed && compared.every((check) => check.recorded?.verdict === check.replayed?.verdict),
      checks: compared,
      judgedAt: { recorded: judgedAt ?? null, replayed: judged.input.time },
    },
  };
}

/** A decision that cannot be made again: what it recorded, and nothing beside it. @throws PromoterError `STATEMENT_UNKNOWN` it is none */
export function unreplayed(entry: LedgerEntry): Replay {
  const decision = decisionIn(entry);
  const { checks, judgedAt = null } = decision.sealane_promotion;
  const judged = { recorded: judgedAt, replayed: null };
  return { ...recordIn(entry, decision), replayed: null, sameVerdict: false, checks: compare(checks, []), judgedAt: judged };
}

type Recorded = Pick<Replay, 'decision' | 'logIndex' | 'release' | 'to' | 'policy' | 'recorded' | 'version'>;

function recordIn(entry: LedgerEntry, decision: DecisionPredicate): Recorded {
  const { release, to } = decision.sealane_promotion;
  return {
    decision: entry.statementDigest,
    logIndex: entry.index,
    release,
    to,
    policy: decisionPolicy(decision),
    recorded: decision.verificationResult,
    version: { recorded: decision.verifier.version?.sealane ?? null, replayed: VERSION },
  };
}

/** @throws PromoterError `STATEMENT_UNKNOWN` it is none */
export function decisionIn(entry: LedgerEntry): DecisionPredicate {
  const statement = statementOf(entry);
  if (statement.predicateType === PREDICATE.decision && 'sealane_promotion' in statement.predicate) return readDecision(statement);
  throw new PromoterError(
    'STATEMENT_UNKNOWN',
    `replay ${entry.statementDigest}: expected a decision, got ${statement.predicateType}`,
    {},
    { hint: 'find decisions with: sealane audit trace RELEASE' },
  );
}

/** The stage under the policy of then: it stays in the lane under its digest, whatever was published since. */
function stageUnder({ home, lane }: LaneCopy, stage: string, digest: Digest): StageTrust {
  const file = `targets/policy/${digestHex(digest)}.${stage}.json`;
  const bytes = readBelow(home.trust)(file, LIMITS.policyBytes);
  if (bytes === undefined || policyDigest(bytes) !== digest) {
    const got = bytes === undefined ? 'nothing' : 'other bytes';
    throw new PromoterError('CONTENT_MISSING', `replay a decision of ${stage}: expected its policy in trust/${file}, got ${got}`, {
      path: file,
    });
  }
  const policy = parsePolicy(bytes);
  const now = lane.stages.get(stage);
  return {
    channel: now?.channel ?? emptyChannel(policy.lane, stage, '1970-01-01T00:00:00Z'),
    version: now?.version ?? 0,
    expiresAt: now?.expiresAt ?? '',
    policy,
    digest,
    policyBytes: bytes,
  };
}

/** Check by check, in their order: gates run in the order of policy, so the same place is the same gate. */
function compare(recorded: readonly RecordedCheck[], replayed: readonly RecordedCheck[]): readonly ReplayedCheck[] {
  const length = Math.max(recorded.length, replayed.length);
  return Array.from({ length }, (_, at) => {
    const [before, now] = [recorded[at] ?? null, replayed[at] ?? null];
    return { id: (before ?? now)?.id ?? '', recorded: before, replayed: now, differences: differencesOf(before, now) };
  });
}

const FIELDS = ['id', 'verdict', 'code', 'expected', 'actual', 'remedy', 'evidence', 'earliest'] as const;

function differencesOf(before: RecordedCheck | null, now: RecordedCheck | null): readonly Difference[] {
  const words = (check: RecordedCheck | null, field: (typeof FIELDS)[number]): string => String(check?.[field] ?? '');
  return FIELDS.map((field) => ({ field, recorded: words(before, field), replayed: words(now, field) })).filter(
    (each) => each.recorded !== each.replayed,
  );
}
