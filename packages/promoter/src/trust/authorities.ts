/** The authorities of keyless signatures as a policy holds them, out of the PEM of a pipeline. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { base64, PromoterError } from '@sealane/core';
import type { Policy } from '@sealane/trust';
import type { Pipeline } from '../pipeline/pipeline.js';

/** One certificate of a PEM file. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The authorities that a pipeline names; nothing where it names none. Whether their chains hold is checked with the policy.
 *
 * @throws PromoterError `CONFIG_INVALID` PEM that is none
 */
export function authoritiesOf({ authorities }: Pipeline): Pick<Policy, 'authorities'> {
  if (authorities === undefined) return {};
  const { certificates, timestamps, ctLogs } = authorities;
  const read = ({ url, chain }: { url: string; chain: string }): { url: string; chain: string[] } => ({
    url,
    chain: certificatesIn(chain, url),
  });
  return {
    authorities: {
      certificates: certificates.map(read),
      timestamps: timestamps.map(read),
      ctLogs: ctLogs.map(({ url, key }) => ({ url, spki: asPem(url, () => createPublicKey(key).export({ type: 'spki', format: 'der' })) })),
    },
  };
}

function certificatesIn(pem: string, url: string): string[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0)
    throw new PromoterError('CONFIG_INVALID', `read the chain of authority ${url}: expected certificates in PEM, got none`);
  return blocks.map((block) => asPem(url, () => new X509Certificate(block).raw));
}

function asPem(url: string, read: () => Uint8Array): string {
  try {
    return base64(read());
  } catch (cause) {
    throw new PromoterError(
      'CONFIG_INVALID',
      `read the certificates or key of authority ${url}: expected PEM, got something else`,
      {},
      { cause },
    );
  }
}
