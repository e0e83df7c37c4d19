/** `sealane rig rebuilt`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { statementsResult } from '../command-parts.js';
import { textArgument, textOption, withLockedPromoter, withPromoter } from '../promoter.js';
import { logAboutRigs, signRebuild } from '../rig/enrol.js';
import { fileOrDigest } from '../rig/template.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'rig rebuilt',
  summary: 'take note that a rig was built again from its template: by its own key, or the registrar',
  arguments: [{ name: 'rig', description: 'name of the rig' }],
  options: [
    { flags: '--template <file>', description: 'what it was built from: a file, or its sha256:… digest', required: true },
    { flags: '--hardware <file>', description: 'CycloneDX inventory of the rig as it stands now', required: true },
    { flags: '--key <keyref>', description: "the rig's key, or the registrar's", required: true },
  ],
  example: 'sealane rig rebuilt rig-1 --template rig.yaml --hardware hardware.cdx.json --key file:rig/site.pem --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { cwd } = call.io;
  const signed = await withPromoter(call, async (promoter) =>
    signRebuild(promoter, {
      rig: textArgument(call, 0, 'RIG'),
      template: fileOrDigest(textOption(call, 'template'), cwd),
      hardware: path.resolve(cwd, textOption(call, 'hardware')),
      signer: await promoter.signer(textOption(call, 'key')),
    }),
  );
  return await withLockedPromoter(call, async (promoter) => {
    const logged = await logAboutRigs(promoter, [signed]);
    await publishLane(promoter, new Map());
    return statementsResult(logged);
  });
}
