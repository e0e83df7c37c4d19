/** Who signed a bundle that somebody brought: a key of a policy or of an enrolled rig, or an identity of a policy with what proves it. */
import {
  type Certified,
  fromBase64,
  identityIdOf,
  PromoterError,
  readCertificate,
  SealaneError,
  type Signed,
  verifyEnvelope,
} from '@sealane/core';
import { certifiedSigner, checkCertified, hintOf, parseBundle, type ParsedBundle, type Policy, verifyTrustOf } from '@sealane/trust';
import type { Promoter } from '../promoter.js';
import { policiesOf, rigKeyByHint } from '../rig/statements.js';

/**
 * The envelope of a bundle with what verifies it; undefined when its signer is nobody whom the lane's policies or rig records name. Whether a
 * key's signature holds is checked where it is logged.
 *
 * @throws PromoterError `WAYBILL_SIGNATURE`; TrustError `SIGNER_CERTIFICATE`, `SIGNER_TIME` a named identity whose certificate or timestamp does not hold
 */
export async function signedBy(
  promoter: Promoter,
  { envelope, statementDigest, hint, certified }: ParsedBundle,
): Promise<Signed | undefined> {
  if (certified === undefined) {
    const spki = spkiByHint(promoter, hint) ?? (await rigKeyByHint(promoter, hint));
    return spki === undefined ? undefined : { envelope, spki };
  }
  const signed = { envelope, spki: readCertificate(certified.certificate).spki, certified };
  const naming = policiesNaming(promoter, certified);
  if (!verifyEnvelope(envelope, signed.spki))
    throw new PromoterError(
      'WAYBILL_SIGNATURE',
      `verify statement ${statementDigest}: expected a signature by the key of its certificate, got another`,
      {},
      { hint: 'it was altered after it was signed, or signed by another key: ask who signed it for the file as it was made' },
    );
  for (const policy of naming) {
    const trust = verifyTrustOf(policy);
    certifiedSigner(statementDigest, certified, { trust });
    checkCertified(statementDigest, signed, trust);
  }
  return naming.length === 0 ? undefined : signed;
}

/** Whether a file is a bundle of our form whose certificate names an identity of a policy. */
export function isByIdentity(promoter: Promoter, bytes: Uint8Array): boolean {
  try {
    const { certified } = parseBundle(bytes);
    return certified !== undefined && policiesNaming(promoter, certified).length > 0;
  } catch (error) {
    // what is not of our form is somebody else's
    if (error instanceof SealaneError) return false;
    throw error;
  }
}

/** The public key that a bundle's hint means, among all keys that the lane's policies name. */
export function spkiByHint(promoter: Promoter, hint: string): Uint8Array | undefined {
  const keys = policiesOf(promoter)
    .flatMap(({ keys }) => Object.values(keys))
    .map(({ spki }) => fromBase64(spki));
  return keys.find((spki) => hintOf(spki) === hint);
}

function policiesNaming(promoter: Promoter, { certificate }: Certified): readonly Policy[] {
  const id = identityIdOf(readCertificate(certificate));
  return policiesOf(promoter).filter(({ identities = {} }) => Object.hasOwn(identities, id));
}
