/** Where the promoter service is: `--server URL`, or `SEALANE_SERVER`. Commands that do not know it refuse it, rather than act on a home that is here. */
import { PromoterError } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';

/** The address of the service that a call is meant for; undefined when it is meant for a home on this host. @throws PromoterError `USAGE` no address */
export function serviceAddress({ options }: Pick<CommandCall, 'options'>): string | undefined {
  const { server } = options;
  if (typeof server !== 'string' || server === '') return undefined;
  // before anything quotes it
  if (/^[^/]*\/\/[^/]*@/.test(server))
    throw new PromoterError('USAGE', 'read --server: expected an address without a name and password in it, got one with them');
  if (!URL.canParse(server) || !/^https?:\/\/[^?#]*$/.test(server))
    throw new PromoterError(
      'USAGE',
      `read --server: expected an address as https://sealane.example, got ${JSON.stringify(server.slice(0, 200))}`,
    );
  return server.replace(/\/+$/, '');
}

/** Whether a token may be sent there: nobody on the way can read it. */
export function keepsSecrets(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname);
}
