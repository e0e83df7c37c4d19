/** `sealane audit policy`. */
import path from 'node:path';
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { answerQuestion, ASKED } from '@sealane/auditor';
import { readNamed } from '../disk-shell.js';
import { homeOf, textArgument } from '../promoter.js';
import { expectSignedRules, readBrought } from '../questions/brought-policies.js';
import { type PolicyAnswer, policyAnswer } from '../questions/policy-answer.js';
import { readLaneTrust } from '../trust/lane-trust.js';
import type { PolicyEffect } from '../trust/policy-effects.js';

export const command: CommandSpec = {
  name: 'audit policy',
  summary: 'which refused releases a policy change would have let in, and which running ones it would have refused',
  arguments: [{ name: 'proposal', description: 'file of a proposal (trust propose) or of a policy' }],
  options: ASKED,
  example: 'sealane audit policy my-lane/proposal.json --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const file = path.resolve(call.io.cwd, textArgument(call, 0, 'PROPOSAL'));
  return await answerForPolicies(call, readNamed(file, 'proposal'), file);
}

/**
 * Answers for the bytes of a proposal or a policy, whoever brought them; `source` is what messages call them. `rules`: of the languages that gates have, all, or those alone
 * that owners have signed.
 *
 * @throws as `policyAnswer`, `readBrought` and `expectSignedRules`
 */
export async function answerForPolicies(
  call: CommandCall,
  bytes: Uint8Array,
  source: string,
  rules: 'all' | 'signed' = 'all',
): Promise<CommandResult> {
  const brought = readBrought(bytes, source);
  const home = homeOf(call);
  const place = { home, lane: readLaneTrust(home), breathe: oneTurn };
  if (rules === 'signed') expectSignedRules(brought, place.lane);
  return await answerQuestion(call, (context, asked) => policyAnswer(context, place, brought, asked), lines);
}

/** Others who ask the same process are answered between two judgements. */
function oneTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function lines({ policies, letsIn, refuses, scanned, notSeen }: PolicyAnswer): readonly string[] {
  return [
    ...(policies.length === 0 ? ['no policy would be another'] : []),
    ...policies.flatMap(({ stage, before, after, changes, decisions, refusals }) => [
      `${stage}: policy ${after} in place of ${before}; ${counted(decisions, 'decision')}, ${counted(refusals, 'refusal')} not overtaken`,
      ...changes.map((change) => `  ${change}`),
    ]),
    ...letsIn.map(
      (effect) =>
        `would let ${effect.release} into ${effect.groups.join(', ')} of ${effect.stage} (${effect.becomes}), refused: ${why(effect)}`,
    ),
    ...refuses.map((effect) => `would refuse ${effect.release}, which ${effect.groups.join(', ')} of ${effect.stage} runs: ${why(effect)}`),
    ...(letsIn.length + refuses.length === 0 ? ['no release would fare otherwise'] : []),
    `all ${scanned.entries} entries were read; their root is that of the checkpoint: ${scanned.root}`,
    ...notSeen.map((what) => `  not seen: ${what}`),
  ];
}

function why({ refusedBy }: PolicyEffect): string {
  return refusedBy.map(({ id, actual }) => `${id}: ${actual}`).join('; ');
}
