/** `sealane plan`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { serviceAddress } from '../client/service-address.js';
import { GROUP, TO_STAGE } from '../command-parts.js';
import { type KeyNames, missingOf } from '../decision/missing.js';
import { planResult } from '../decision/outcome-result.js';
import { plan } from '../decision/plan.js';
import { rolloutOf } from '../decision/rollout.js';
import type { Home } from '../home.js';
import { optionalText, textArgument, textOption, withPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';
import { REPORT, wantedReports, writeReports } from '../reports/report-shell.js';
import { storedKeys } from '../signers/key-store.js';

export const command: CommandSpec = {
  name: 'plan',
  summary: 'say what promote would say, what is missing, and the earliest time it could pass',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [TO_STAGE, GROUP, REPORT],
  example: 'sealane plan readings@1.0.0 --to prod --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const server = serviceAddress(call);
  const reports = wantedReports(call);
  const result = server === undefined ? await planHere(call) : await (await import('../client/remote-decision.js')).planAt(call, server);
  writeReports(reports, result);
  return result;
}

function keyNames(home: Home): KeyNames {
  return new Map(storedKeys(home).map(({ id, name }) => [id, name]));
}

async function planHere(call: CommandCall): Promise<CommandResult> {
  const stage = textOption(call, 'to');
  return await withPromoter(call, async (promoter) => {
    const { digest } = await releaseOf(promoter, textArgument(call, 0, 'RELEASE'));
    const question = { release: digest, stage, rollout: rolloutOf(promoter, stage, optionalText(call, 'group')) };
    const outcome = await plan(promoter, question);
    return planResult(outcome, outcome.decision === 'passed' ? [] : missingOf(outcome.checks, outcome.input, keyNames(promoter.home)));
  });
}
