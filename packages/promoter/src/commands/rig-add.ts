/** `sealane rig add`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { statementsResult } from '../command-parts.js';
import { readNamed } from '../disk-shell.js';
import { optionalText, textArgument, textOption, withLockedPromoter, withPromoter } from '../promoter.js';
import { logAboutRigs, signEnrolment } from '../rig/enrol.js';
import { fileOrDigest } from '../rig/template.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'rig add',
  summary: 'enrol a test rig, freshly built: the registrar signs its key, template and inventory',
  arguments: [{ name: 'request', description: 'the file that sealane-site enroll --name wrote on the rig' }],
  options: [
    { flags: '--template <file>', description: 'what the rig is built from: a file, or its sha256:… digest', required: true },
    { flags: '--hardware <file>', description: 'CycloneDX inventory of the rig (default: the one in its request)' },
    { flags: '--key <keyref>', description: "the registrar's key", required: true },
  ],
  example: 'sealane rig add request.json --template rig.yaml --hardware hardware.cdx.json --key registrar --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { cwd } = call.io;
  const request = readNamed(path.resolve(cwd, textArgument(call, 0, 'REQUEST')), 'request of a rig');
  const hardware = optionalText(call, 'hardware');
  const signed = await withPromoter(call, async (promoter) =>
    signEnrolment(promoter, {
      request,
      template: fileOrDigest(textOption(call, 'template'), cwd),
      ...(hardware === undefined ? {} : { hardware: path.resolve(cwd, hardware) }),
      registrar: await promoter.signer(textOption(call, 'key')),
    }),
  );
  return await withLockedPromoter(call, async (promoter) => {
    const logged = await logAboutRigs(promoter, [signed]);
    await publishLane(promoter, new Map());
    return statementsResult(logged);
  });
}
