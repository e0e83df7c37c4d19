/**
 * `oidc`: a key for one run, certified by the lane's authority for whom the token of this job or person says it is, each signature timestamped.
 *
 * The key never leaves this process and is forgotten with it. What the authorities answer is held to the policy before anything is logged with it.
 */
import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { equalBytes, fromBase64, identityIdOf, isTimestampBy, PromoterError, readCertificate, type Signer } from '@sealane/core';
import type { PolicyAuthority } from '@sealane/trust';
import { signingToken } from '../../client/id-token-shell.js';
import { keepsSecrets } from '../../client/service-address.js';
import type { KeyPlace } from '../key-place.js';
import { askCertificate, askTimestamp } from './authorities-shell.js';
import { certificateRequest, timestampRequest } from './requests.js';

/** What a timestamp authority takes: eight random bytes tell one question from another. */
const NONCE_BYTES = 8;

/**
 * A keyless signer.
 *
 * @throws PromoterError `USAGE` the lane has no authorities, or is taken at its word; `CONFIG_INVALID` the token would go where others can read it; `CALLER_UNKNOWN` no token;
 * `KEY_UNAVAILABLE` an authority did not answer, or is not that of policy; CoreError `CERTIFICATE_MALFORMED` it names nobody, or several
 */
export async function keylessSigner(place: KeyPlace): Promise<Signer> {
  // whoever owns the service would name an authority of his own, and be with the true one whom the token names
  if (place.isTakenAtItsWord === true)
    throw new PromoterError(
      'USAGE',
      'sign with oidc: expected --root FILE, the root from which the lane of the service must verify, got none',
      {},
      {
        hint: 'its policy says to whom the token goes: keep the first root of the lane (trust/metadata/1.root.json) where the service cannot write',
      },
    );
  const [issuing, stamping] = [place.authorities?.certificates[0], place.authorities?.timestamps[0]];
  if (issuing === undefined || stamping === undefined)
    throw new PromoterError(
      'USAGE',
      'sign with oidc: expected authorities of certificates and timestamps in the policy of the lane, got none',
      {},
      { hint: 'name them in pipeline.yaml under authorities, then: sealane trust propose' },
    );
  // whoever reads the token on the way has a certificate for whom it names as soon as we have
  if (!keepsSecrets(issuing.url))
    throw new PromoterError(
      'CONFIG_INVALID',
      `sign with oidc: expected an authority of certificates at https, or on this host, got ${issuing.url}`,
      { url: issuing.url },
      { hint: 'put TLS before it and name its address in pipeline.yaml under authorities, then: sealane trust propose' },
    );
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const signData = (data: Uint8Array): Promise<Uint8Array> => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey)));
  const asked = await certificateRequest(spki, signData);
  const certificate = certifiedBy(issuing, await askCertificate(issuing.url, asked, await signingToken(place)), spki);
  const { identity, issuer } = readCertificate(certificate);
  return {
    keyId: identityIdOf({ identity, issuer }),
    identity: { identity, issuer },
    spki,
    sign: signData,
    certify: async (signature) => ({ certificate, timestamp: await timestampBy(stamping, signature) }),
  };
}

/** The certificate (DER), when it is for this key and by the authority that policy names. */
function certifiedBy({ url, chain }: PolicyAuthority, pem: string, spki: Uint8Array): Uint8Array {
  const certificate = certificateIn(url, pem);
  const authority = new X509Certificate(fromBase64(chain[0] ?? ''));
  const der = new Uint8Array(certificate.raw);
  if (!equalBytes(readCertificate(der).spki, spki)) throw unfit(url, 'a certificate of the key that was made for it', 'one of another');
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey))
    throw unfit(url, 'a certificate by the authority whose chain policy has', 'one by another');
  return der;
}

function certificateIn(url: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    // errors of OpenSSL, which say nothing that the answer does not
    throw unfit(url, 'a certificate in PEM', 'something else');
  }
}

async function timestampBy({ url, chain }: PolicyAuthority, signature: Uint8Array): Promise<Uint8Array> {
  const token = await askTimestamp(url, timestampRequest(signature, randomBytes(NONCE_BYTES)));
  const key = new X509Certificate(fromBase64(chain[0] ?? '')).publicKey.export({ type: 'spki', format: 'der' });
  if (!isTimestampBy(token, signature, key))
    throw unfit(url, 'a timestamp over the signature by the authority whose chain policy has', 'another');
  return token;
}

function unfit(url: string, expected: string, got: string): PromoterError {
  return new PromoterError('KEY_UNAVAILABLE', `sign with oidc: expected ${expected} from ${url}, got ${got}`);
}
