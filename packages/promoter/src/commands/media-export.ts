/** `sealane media export`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { exportMedium } from '../media/export.js';
import { textOption, withPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'media export',
  summary: 'write what the sites of a stage need to a medium that is carried by hand',
  options: [
    { flags: '--stage <stage>', description: 'the stage whose sites the medium is for', required: true },
    { flags: '--out <dir>', description: 'the folder on the medium', required: true },
  ],
  example: 'sealane media export --stage prod --out medium --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const exported = await withPromoter(call, (promoter) =>
    exportMedium(promoter, textOption(call, 'stage'), path.resolve(call.io.cwd, textOption(call, 'out'))),
  );
  return { exit: 0, json: exported, text: `${exported.files} files, ${exported.bytes} bytes in ${exported.out}` };
}
