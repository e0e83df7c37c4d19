/** `sealane secret set`. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { KEY } from '../command-parts.js';
import { optionalText, textArgument, textOption, withLockedPromoter } from '../promoter.js';
import { sealingSites, sealSecret } from '../secret/seal.js';
import { readSecretValue } from '../secret/value-shell.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'secret set',
  summary: 'seal a value of a secret to a site, or to each site of a stage; their next update takes it in',
  arguments: [{ name: 'name', description: 'name of the secret, as releases declare it' }],
  options: [
    { flags: '--site <site>', description: 'the site that gets it' },
    { flags: '--stage <stage>', description: 'instead: every site of the stage, each its own seal' },
    { flags: '--value <file>', description: 'the file with the value, taken byte for byte; - reads standard input', required: true },
    KEY,
  ],
  example: 'sealane secret set db-password --site harbour-7 --value password.txt --key alice --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const secret = textArgument(call, 0, 'NAME');
  const [site, stage] = [optionalText(call, 'site'), optionalText(call, 'stage')];
  if ((site === undefined) === (stage === undefined))
    throw new PromoterError('USAGE', `seal secret ${secret}: expected --site or --stage, got ${site === undefined ? 'neither' : 'both'}`);
  const value = readSecretValue(call.io.cwd, textOption(call, 'value'));
  return await withLockedPromoter(call, async (promoter) => {
    const sites = await sealingSites(promoter, { ...(site === undefined ? {} : { site }), ...(stage === undefined ? {} : { stage }) });
    const at = sites[0]?.stage ?? '';
    const signer = await promoter.signer(textOption(call, 'key'));
    const { channel, sent } = await sealSecret(promoter, at, { secret, value, sites, signer });
    await publishLane(promoter, new Map([[at, channel]]));
    const lines = sent.map(({ site: name, version }) => `${secret} version ${version} waits for ${name} in the channel of ${at}`);
    return { exit: 0, json: { secret, stage: at, sites: sent }, text: lines.join('\n'), hint: 'at the site: sealane-site update' };
  });
}
