/** `sealane-site certificate install`. */
import path from 'node:path';
import { SiteError } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { MAX_CHAIN_BYTES } from '../identity/chain.js';
import { takeCertificate } from '../identity/identity.js';
import { withLockedSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'certificate install',
  summary: 'take in the certificate that this site asked for',
  arguments: [{ name: 'file', description: 'what sealane site certify wrote' }],
  example: 'sealane-site certificate install harbour-7.pem --config site/site.yaml --state site/state',
  run: (call) =>
    withLockedSite(call, (site) => {
      const [named] = call.args;
      const file = path.resolve(call.io.cwd, typeof named === 'string' ? named : '');
      const pem = site.world.disk.read(file, MAX_CHAIN_BYTES);
      if (pem === undefined) throw new SiteError('USAGE', `take in a certificate: expected a file at ${file}, got nothing`);
      const facts = takeCertificate(site, pem);
      return Promise.resolve({
        exit: 0 as const,
        json: { site: site.config.name, ...facts },
        text: `${site.config.name} is ${facts.name} until ${facts.notAfter}`,
      });
    }),
};
