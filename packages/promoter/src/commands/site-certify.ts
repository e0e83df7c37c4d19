/** `sealane site certify`. */
import path from 'node:path';
import { readCertificateRequest, restate } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { readNamed, writeOutput } from '../disk-shell.js';
import { optionalText, textArgument, withLockedPromoter } from '../promoter.js';
import { DEFAULT_DAYS, MAX_DAYS, wholeDays } from '../site-ca/days.js';

export const command: CommandSpec = {
  name: 'site certify',
  summary: 'issue the certificate that a site asks for: its own name, its own key, for days',
  arguments: [{ name: 'request', description: 'what sealane-site certificate request wrote, or sealane-site receipt export' }],
  options: [
    {
      flags: '--days <n>',
      description: `how long it holds (default: ${DEFAULT_DAYS}; at most ${MAX_DAYS}, for sites that only a courier reaches)`,
    },
    { flags: '--out <file>', description: 'the certificate with its chain (PEM), for the site' },
  ],
  example: 'sealane site certify certificate-request.json --out harbour-7.pem --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const file = path.resolve(call.io.cwd, textArgument(call, 0, 'REQUEST'));
  const bytes = readNamed(file, 'certificate request');
  const request = restate(
    'CERTIFICATE_REQUEST',
    () => readCertificateRequest(bytes),
    (why) => `read ${file}: ${why}`,
  );
  const days = wholeDays(call, DEFAULT_DAYS, MAX_DAYS);
  return await withLockedPromoter(call, async (promoter) => {
    const { certifySite } = await import('../site-ca/certify.js');
    const certified = await certifySite(promoter, request, days);
    const out = optionalText(call, 'out');
    if (out !== undefined) writeOutput(path.resolve(call.io.cwd, out), certified.chain);
    const { site, name, serial, notAfter } = certified;
    return { exit: 0, json: certified, text: `${site} is ${name} until ${notAfter}, certificate ${serial}` };
  });
}
