/** `sealane-site certificate show`. */
import type { CommandSpec } from '@sealane/core/command-line';
import { identityState, siteNow } from '../identity/identity.js';
import { openSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'certificate show',
  summary: 'say by which certificate this site is known over TLS, and when the next one is due',
  example: 'sealane-site certificate show --config site/site.yaml --state site/state',
  run: (call) => {
    const site = openSite(call);
    const { certificate, dueAt, asked } = identityState(site.world.disk, site.folder);
    const now = siteNow(site);
    const isExpired = certificate !== null && certificate.notAfter <= now;
    const json = { site: site.config.name, certificate, dueAt, asked, isExpired, file: certificate === null ? null : site.folder.identity };
    const has =
      certificate === null
        ? 'no certificate yet'
        : `${certificate.name}, ${isExpired ? 'expired' : 'until'} ${certificate.notAfter}, in ${site.folder.identity}`;
    return Promise.resolve({
      exit: 0 as const,
      json,
      text: `${site.config.name}: ${has}${asked ? '; the next one is asked for' : ''}`,
      ...(isExpired ? { hint: 'workloads and installs go on without it; another one comes over a link or on a medium' } : {}),
    });
  },
};
