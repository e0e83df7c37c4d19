/** Who may not let a release through at a gate: whose hands it went through, as for approvals. */
import { type Digest, PREDICATE } from '@sealane/core';
import { heldApart } from '@sealane/trust';
import { statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';

/** Ids of those people of a stage; a text when it cannot be told. */
export async function peopleApart(promoter: Promoter, release: Digest, stage: string): Promise<ReadonlySet<string> | string> {
  const { policy } = stageOf(promoter, stage);
  const entries = await promoter.ledger.statementsAbout(release, [PREDICATE.release, PREDICATE.testResult]);
  const statements = entries.map((entry) => ({ keyId: entry.keyId, logIndex: entry.index, statement: statementOf(entry) }));
  const keys = heldApart({ release, policy, statements });
  if (typeof keys === 'string') return keys;
  return new Set(policy.people.filter((person) => person.keys.some((key) => keys.has(key))).map(({ id }) => id));
}
