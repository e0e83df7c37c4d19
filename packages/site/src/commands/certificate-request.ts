/** `sealane-site certificate request`. */
import path from 'node:path';
import { shellWord, SiteError } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { writeOutput } from '../durable-write.js';
import { openRequest } from '../identity/identity.js';
import { textOption, withLockedSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'certificate request',
  summary: 'ask for the certificate by which this site is known over TLS, in a file that is carried by hand',
  options: [{ flags: '--out <file>', description: 'the file to write', required: true }],
  example: 'sealane-site certificate request --out certificate-request.json --config site/site.yaml --state site/state',
  run: async (call) => {
    const named = textOption(call.options['out']);
    if (named === undefined) throw new SiteError('USAGE', 'ask for a certificate: expected --out');
    const out = path.resolve(call.io.cwd, named);
    return await withLockedSite(call, async (site) => {
      writeOutput(site.world.disk, out, await openRequest(site));
      const { name } = site.config;
      return {
        exit: 0,
        json: { site: name, request: out },
        text: `the request of ${name} is in ${out}`,
        hint: `have it answered: sealane site certify ${shellWord(path.basename(out))} --out CHAIN; then: sealane-site certificate install CHAIN`,
      };
    });
  },
};
