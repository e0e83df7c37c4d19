/** `sealane release show`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { releaseDocument } from '../decision/gate-input.js';
import { describeEntry } from '../log/log-statements.js';
import { textArgument, withPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'release show',
  summary: 'show the parts of a release and every statement about it',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  example: 'sealane release show readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const shown = await withPromoter(call, async (promoter) => {
    const { digest } = await releaseOf(promoter, textArgument(call, 0, 'RELEASE'));
    const { name, version, components, irreversible = false, declares = null } = await releaseDocument(promoter, digest);
    const statements = (await promoter.ledger.statementsAbout(digest)).map(describeEntry);
    return { release: digest, name, version, irreversible, components, declares, statements };
  });
  const lines = [
    `${shown.release}  ${shown.name}@${shown.version}`,
    ...shown.components.map(
      ({ name, kind, digest, size, oneWay }) =>
        `  ${kind} ${name}  ${digest}  ${counted(size, 'byte')}${oneWay === true ? ', no way back' : ''}`,
    ),
    ...shown.statements.map(({ predicateType, digest, logIndex }) => `  entry ${String(logIndex)}  ${digest}  ${predicateType}`),
  ];
  return { exit: 0, json: shown, text: lines.join('\n') };
}
