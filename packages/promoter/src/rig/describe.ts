/** The enrolled rigs as the ledger knows them: what each was built from and when, whether it was recalled. */
import { type Digest, PREDICATE } from '@sealane/core';
import { keySubject, readRecall, readRigRebuild } from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { rigRecords } from './enrol.js';
import { policiesOf } from './statements.js';

/** A rig by its last record. `recalled`: results logged at or after `untilIndex` are void. */
export interface RigDescription {
  readonly rig: string;
  readonly keyId: string;
  readonly enrolledAt: number;
  readonly template: Digest;
  readonly inventory: Digest;
  readonly builtAt: string;
  readonly recalled: { readonly untilIndex: number; readonly reason: string; readonly logIndex: number } | null;
}

/** Every rig once, by key, in the order of their last records. */
export async function describeRigs(promoter: Promoter): Promise<readonly RigDescription[]> {
  const latest = new Map((await rigRecords(promoter)).map((record) => [record.key.id, record]));
  const registrars = policiesOf(promoter).flatMap(({ registrar }) => registrar);
  const rigs: RigDescription[] = [];
  for (const { rig, key, logIndex, template, inventory, builtAt } of latest.values()) {
    const since = (await promoter.ledger.statementsAbout(keySubject(key.id))).filter(({ index }) => index > logIndex);
    const ofType = (type: string) => since.filter((entry) => statementOf(entry).predicateType === type);
    const rebuild = ofType(PREDICATE.rigRebuild)
      .filter(({ keyId }) => keyId === key.id || registrars.includes(keyId))
      .at(-1);
    const recall = ofType(PREDICATE.recall)
      .filter(({ keyId }) => registrars.includes(keyId))
      .at(-1);
    const built = rebuild === undefined ? { inventory, builtAt } : readRigRebuild(statementOf(rebuild));
    rigs.push({
      rig,
      keyId: key.id,
      enrolledAt: logIndex,
      template,
      inventory: built.inventory,
      builtAt: built.builtAt,
      recalled: recall === undefined ? null : { ...recalledBy(recall), logIndex: recall.index },
    });
  }
  return rigs.sort((left, right) => left.enrolledAt - right.enrolledAt);
}

function recalledBy(entry: Parameters<typeof statementOf>[0]): { readonly untilIndex: number; readonly reason: string } {
  const { untilIndex, reason } = readRecall(statementOf(entry));
  return { untilIndex, reason };
}
