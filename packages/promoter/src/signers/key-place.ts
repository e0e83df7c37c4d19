/** Where a key is looked up, and what a signer kept elsewhere is held to. */
import { EXAMPLE_KEY_IDS, keyIdOf, p256PublicKey, PromoterError, type Signer, verifyP256 } from '@sealane/core';
import type { Policy } from '@sealane/trust';
import type { Home } from '../home.js';
import type { Kept } from '../kept-home.js';
import type { SecretPlace } from './passphrase.js';

/** Where a key's name is looked up: owners' keys and all others lie apart. */
export type KeyFolders = Pick<Home, 'keys' | 'owners'>;

/** Where a KEYREF is looked up. */
export interface KeyPlace extends SecretPlace {
  readonly home: KeyFolders;
  /** Whether the lane was made from the example keys: only then may they sign. */
  readonly isExampleLane: boolean;
  /** Who vouches for keyless signatures, as the lane's policies say. */
  readonly authorities?: Policy['authorities'];
  /** Whether the lane is what a service says that it is: it names no authority that a token may be handed to. */
  readonly isTakenAtItsWord?: true;
  /** Where signers of the home's own keys are kept between calls; `from` says how the folders of keys are. */
  readonly kept?: {
    readonly signer: (role: string) => Kept<Signer>;
    readonly from: string;
  };
}

/** The signer, when it may sign in this lane. @throws PromoterError `KEY_EXAMPLE` */
export function allowed(signer: Signer, source: string, { isExampleLane }: Pick<KeyPlace, 'isExampleLane'>): Signer {
  if (isExampleLane || !EXAMPLE_KEY_IDS.has(signer.keyId)) return signer;
  throw new PromoterError(
    'KEY_EXAMPLE',
    `use key ${source}: it is an example key that everybody has, and this lane was not made from them`,
  );
}

/**
 * A signer whose key is in a token or with a helper program: each signature is verified here before anybody else sees it.
 *
 * @throws CoreError `KEY_MALFORMED` not ECDSA P-256; signing: PromoterError `KEY_UNAVAILABLE` the signature is not by this key
 */
export function remoteSigner(spki: Uint8Array, source: string, sign: (data: Uint8Array) => Promise<Uint8Array>): Signer {
  p256PublicKey(spki);
  return {
    keyId: keyIdOf(spki),
    spki,
    async sign(data) {
      const signature = await sign(data);
      if (verifyP256(spki, data, signature)) return signature;
      throw new PromoterError('KEY_UNAVAILABLE', `sign with ${source}: expected a signature by key ${keyIdOf(spki)}, got another`);
    },
  };
}
