/** Ways back that real sites went: from this release, which ran there, to another one, by their own receipts. */
import { type Digest, type ErrorCode, PREDICATE, type Statement } from '@sealane/core';
import { readReceipt, type ReceiptPredicate } from '../evidence/predicates/receipt.js';
import { readSiteRecord, type SiteRecordPredicate } from '../evidence/predicates/site-record.js';
import { keySubject } from '../evidence/predicates/rig.js';
import { isAbout } from '../evidence/predicates/statement.js';
import type { WitnessedTime } from '../evidence/statement-checks.js';
import type { PolicyKey } from '../policy/policy-types.js';
import { EVIDENCE_CODES, type Selected, selectStatements } from './evidence-selection.js';
import type { GateContext } from './gate.js';

/**
 * One way back: at which place of which stage, to which release, how long it took (undefined: nobody knows), when by its own word and when the log
 * had it. `evidence` = what shows it.
 */
export interface WayBack {
  readonly place: string;
  /** Whether the place itself says so, and not somebody of it. */
  readonly isOwn: boolean;
  readonly to: Digest;
  readonly seconds: number | undefined;
  readonly at: string;
  readonly witnessed: WitnessedTime | null;
  readonly logIndex: number;
  readonly evidence: readonly Digest[];
}

const CODES = { ...EVIDENCE_CODES, unreadable: 'EVIDENCE_ROLLBACK' as ErrorCode };

/**
 * The ways back of sites of `stages`, in log order. A site speaks with the key of its last record before the receipt, and for the stage of that
 * record; a release that failed there at once was never kept, and its return rehearses nothing.
 */
export function siteRollbacks(context: GateContext, stages: readonly string[]): readonly WayBack[] {
  const records = readRecords(context);
  // of a key that was recorded again the first record is the one from which it signs
  const keys = Object.fromEntries([...records].reverse().map((record) => [record.predicate.key.id, keyOf(context, record)]));
  const { accepted } = selectStatements(
    { ...context, policy: { ...context.policy, keys: { ...keys, ...context.policy.keys } } },
    {
      predicateType: PREDICATE.receipt,
      signers: Object.keys(keys),
      about: isAboutAnything,
      read: readReceipt,
      codes: CODES,
    },
  );
  return accepted.flatMap((receipt) => {
    const { from, predicate } = receipt;
    const record = recordOf(records, receipt);
    if (record === undefined || !stages.includes(record.predicate.stage)) return [];
    if (!isWayBack(context, receipt) || predicate.release === null) return [];
    const { at, seconds, release: to, site: place } = predicate;
    const { witnessed, logIndex } = from;
    return [{ place, isOwn: true, to, seconds, at, witnessed, logIndex, evidence: [record.from.digest, from.digest] }];
  });
}

/** By hand from this release, which the site had kept as healthy, to another one that then was healthy. */
function isWayBack({ release: judged }: GateContext, { from, predicate }: Selected<ReceiptPredicate>): boolean {
  const { event, release, previous, keyId } = predicate;
  return event === 'rollback' && previous === judged && release !== null && keyId === from.keyId && isAbout(from.statement, release);
}

function recordOf(
  records: readonly Selected<SiteRecordPredicate>[],
  { from, predicate }: Selected<ReceiptPredicate>,
): Selected<SiteRecordPredicate> | undefined {
  const last = records.filter((record) => record.predicate.site === predicate.site && record.from.logIndex < from.logIndex).at(-1);
  return last?.predicate.key.id === from.keyId ? last : undefined;
}

function readRecords(context: GateContext): readonly Selected<SiteRecordPredicate>[] {
  const { accepted } = selectStatements(context, {
    predicateType: PREDICATE.siteRecord,
    signers: context.policy.registrar,
    about: isAboutAnything,
    read: readSiteRecord,
    codes: CODES,
  });
  // a person, a lab or a stage does not become a site by a record, nor the other way round
  return accepted.filter(
    ({ predicate, from }) => !Object.hasOwn(context.policy.keys, predicate.key.id) && isAbout(from.statement, keySubject(predicate.key.id)),
  );
}

function keyOf({ policy }: GateContext, { from, predicate }: Selected<SiteRecordPredicate>): PolicyKey {
  return { spki: predicate.key.spki, origin: policy.lane, fromIndex: from.logIndex + 1, untilIndex: null, reason: null };
}

/** Records are about keys, receipts about what a site then runs: what each is about is compared with what it says. */
function isAboutAnything(statement: Statement): boolean {
  return statement.subject.length > 0;
}
