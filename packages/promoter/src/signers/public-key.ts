/** Public halves of keys, out of any PEM that has one. */
import { createPublicKey } from 'node:crypto';
import { PromoterError } from '@sealane/core';
import { isCosignKey } from './cosign-key.js';

const PUBLIC_BLOCK = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----/;

/**
 * SPKI DER out of PEM: a public key, a plain private one, or what stands beside an encrypted one or a reference.
 *
 * @throws PromoterError `KEY_MALFORMED`
 */
export function publicKeyOf(pem: string, source: string): Uint8Array {
  try {
    const block = PUBLIC_BLOCK.exec(pem)?.[0];
    return new Uint8Array(createPublicKey(block ?? pem).export({ type: 'spki', format: 'der' }));
  } catch (cause) {
    throw new PromoterError(
      'KEY_MALFORMED',
      `read key ${source}: expected ${isCosignKey(pem) ? 'the public half beside the encrypted key, in the same file' : 'a key in PEM'}`,
      { source },
      { cause, ...(isCosignKey(pem) ? { hint: 'append it: cat cosign.pub >> NAME.pem' } : {}) },
    );
  }
}
