/** Approvals: enough different people, none of them author, tester or promoter, each over exactly what is being decided. */
import { type Check, counted, PREDICATE } from '@sealane/core';
import { z } from 'zod';
import type { Policy } from '../policy/policy-types.js';
import { digestOfVote, excludedKeys, ROLES, votesOf } from './approval-votes.js';
import { failed, passed, pending } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';

const configSchema = z.strictObject({
  /** Different people that must approve. */
  count: z.int().min(1).max(64),
  /** Roles whose holders do not count as approvers. */
  distinctFrom: z
    .array(z.enum(ROLES))
    .max(ROLES.length)
    .default([...ROLES]),
});

type Config = z.output<typeof configSchema>;

/** `approvals` gate. It is evaluated after the others: an approval counts only if it saw what they read. */
export const approvalsGate = defineGate({
  id: 'approvals',
  summary: 'enough different people approved exactly this',
  recheckedAtSite: true,
  reads: 'approvals',
  configSchema,
  evaluate: evaluateApprovals,
});

function evaluateApprovals(context: GateContext, config: Config): Check {
  const id = approvalsGate.id;
  const excluded = excludedKeys(context, config.distinctFrom);
  const expected = `${counted(config.count, 'person', 'people')}, none of them ${config.distinctFrom.join(', ') || 'excluded'}, over these groups, this policy and all evidence`;
  if (typeof excluded === 'string')
    return failed(id, {
      expected,
      actual: excluded,
      remedy: `sealane release show ${context.release}`,
      evidence: [],
      code: 'WAYBILL_APPROVALS',
    });
  const votes = votesOf(context, excluded);
  const rejecting = votes.filter(({ state }) => state === 'rejected');
  if (rejecting.length > 0) {
    const actual = rejecting.map(({ person, why }) => `${person.id} rejected it${why}`).join('; ');
    return failed(id, {
      expected,
      actual,
      remedy: `mend the release, or have ${rejecting.map(({ person }) => person.id).join(', ')} approve it: ${approveCommand(context, rejecting[0]?.person.id)}`,
      evidence: rejecting.flatMap(digestOfVote),
      code: 'WAYBILL_APPROVALS',
    });
  }
  const approving = votes.filter(({ state }) => state === 'approved');
  const evidence = approving.flatMap(digestOfVote);
  const names = approving.map(({ person }) => person.id).join(', ') || 'nobody';
  if (approving.length >= config.count) return passed(id, { expected, actual: `approved by ${names}`, evidence });
  const open = votes.filter(({ state }) => state !== 'approved' && state !== 'excluded');
  const elsewhere = (context.refused ?? []).filter(
    ({ predicateType, code }) => predicateType === PREDICATE.approval && code === 'LOG_FORK',
  );
  const notes = votes.filter(({ why, state }) => state !== 'approved' && why !== '').map(({ person, why }) => `${person.id}: ${why}`);
  const actual = [`${approving.length} of ${config.count}, by ${names}`, ...notes, ...elsewhere.map(({ why }) => why)].join('; ');
  if (approving.length + open.length < config.count) {
    return failed(id, {
      expected,
      actual: `${actual}; policy names only ${open.length} more who may`,
      remedy: 'name more people in the pipeline, then: sealane trust propose',
      evidence,
      code: 'WAYBILL_APPROVALS',
    });
  }
  return pending(id, { expected, actual, remedy: approveCommand(context, open[0]?.person.id), evidence, code: 'WAYBILL_APPROVALS' });
}

/** The command by which a person approves what is being decided. */
export function approveCommand({ release, stage, rollout, policy }: GateContext, person: string | undefined): string {
  return `sealane approve ${release} --to ${stage}${groupFlags(policy, rollout)} --key ${person ?? 'PERSON'}`;
}

/** All groups in policy's order are what a command means without `--group`. */
function groupFlags({ groups }: Policy, rollout: readonly string[]): string {
  const all = groups.map(({ name }) => name);
  return all.join('\n') === rollout.join('\n') ? '' : rollout.map((name) => ` --group ${name}`).join('');
}
