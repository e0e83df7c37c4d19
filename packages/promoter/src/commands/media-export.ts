/** `sealane media export`. */
import path from 'node:path';
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { exportMedium } from '../media/export.js';
import { listOption, textOption, withPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'media export',
  summary: 'write what the sites of a stage, of a group, or single sites need to a medium that is carried by hand',
  options: [
    { flags: '--stage <stage>', description: 'the stage whose sites the medium is for', required: true },
    { flags: '--group <group>', description: 'only for the sites of this group', repeat: true },
    { flags: '--site <site>', description: 'only for this site', repeat: true },
    { flags: '--out <dir>', description: 'the folder on the medium', required: true },
  ],
  example: 'sealane media export --stage prod --out medium --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const wish = { stage: textOption(call, 'stage'), groups: listOption(call, 'group'), sites: listOption(call, 'site') };
  const exported = await withPromoter(call, (promoter) => exportMedium(promoter, wish, path.resolve(call.io.cwd, textOption(call, 'out'))));
  return { exit: 0, json: exported, text: `${counted(exported.files, 'file')}, ${counted(exported.bytes, 'byte')} in ${exported.out}` };
}
