/** Irreversible: a release with a part that has no way back goes into a stage only where policy takes such, and where enough people said that they know. */
import { type Check, counted } from '@sealane/core';
import { z } from 'zod';
import { digestOfVote, excludedKeys, ROLES, votesOf } from './approval-votes.js';
import { approveCommand } from './approvals.js';
import { failed, passed, pending } from './check-result.js';
import { defineGate, type GateContext } from './gate.js';

const configSchema = z.strictObject({
  /** Different people whose approval says that they know that there is no way back; 0: the stage takes such releases without. */
  count: z.int().min(0).max(64),
});

/** `irreversible` gate. A stage whose policy does not name it takes no such release: see `irreversibleRefusal`. */
export const irreversibleGate = defineGate({
  id: 'irreversible',
  summary: 'parts without a way back were approved as such',
  recheckedAtSite: true,
  reads: 'approvals',
  configSchema,
  evaluate: (context, { count }) => {
    const parts = oneWayParts(context);
    const expected = `${counted(count, 'person', 'people')}, none of them ${ROLES.join(', ')}, who approved that there is no way back`;
    if (parts === undefined) return passed(ID, { expected, actual: 'every part has a way back', evidence: [] });
    const excluded = excludedKeys(context, ROLES);
    const code = 'RELEASE_IRREVERSIBLE';
    if (typeof excluded === 'string') {
      const remedy = `sealane release show ${context.release}`;
      return failed(ID, { expected, actual: excluded, remedy, evidence: [], code });
    }
    const approved = votesOf(context, excluded, ({ predicate }) => predicate.irreversible === true).filter(
      ({ state }) => state === 'approved',
    );
    const names = approved.map(({ person }) => person.id).join(', ') || 'nobody';
    const words = {
      expected,
      actual: `no way back from ${parts}, approved by ${names}`,
      evidence: approved.flatMap(digestOfVote),
    };
    if (approved.length >= count) return passed(ID, words);
    return pending(ID, { ...words, remedy: `${approveCommand(context, undefined)} --irreversible`, code });
  },
});

const ID = 'irreversible';

/** A failing check for a release without a way back in a stage whose policy says nothing about such: what nobody allowed is refused. */
export function irreversibleRefusal(context: GateContext): readonly Check[] {
  const parts = oneWayParts(context);
  if (parts === undefined || context.policy.gates.some(({ use }) => use === ID)) return [];
  return [
    failed(ID, {
      expected: `a release that can be rolled back: ${context.stage} takes no other`,
      actual: `no way back from ${parts}`,
      remedy: `name the gate ${ID} for ${context.stage} in pipeline.yaml, then: sealane trust propose`,
      evidence: [],
      code: 'RELEASE_IRREVERSIBLE',
    }),
  ];
}

/** The names of the parts without a way back; undefined when there is none. */
function oneWayParts({ releaseDoc }: GateContext): string | undefined {
  const names = releaseDoc.components.filter(({ oneWay }) => oneWay === true).map(({ name }) => name);
  if (names.length === 0 && releaseDoc.irreversible !== true) return undefined;
  return names.join(', ') || 'this release';
}
