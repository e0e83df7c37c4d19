/** The authorities of a policy: their certificates must be able to say what they are named for, or any leaf could vouch for any other. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { fromBase64 } from '@sealane/core';
import { stampsTimes } from '../sigstore/certificate-use.js';
import type { PolicyAuthorities } from './policy-types.js';

/** What to do about a contradiction: throws. */
type Fail = (what: string, cause?: unknown) => never;

/**
 * Checks that every chain leads, certificate by certificate, to a self-signed root; that all of an authority for certificates may issue, and that
 * a timestamp authority may stamp and not issue.
 */
export function checkAuthorities({ certificates, timestamps, ctLogs }: PolicyAuthorities, fail: Fail): void {
  for (const { url, chain } of certificates) {
    const read = chainOf(chain, url, fail);
    expectIssuers(read, url, fail);
    expectIssued(read, url, fail);
  }
  for (const { url, chain } of timestamps) {
    const [leaf, ...above] = chainOf(chain, url, fail);
    if (leaf === undefined || !stampsTimes(leaf)) fail(`expected a certificate for timestamping first in the chain of ${url}, got another`);
    if (above.length === 0) fail(`expected the issuer of its certificate in the chain of ${url}, got none`);
    expectIssuers(above, url, fail);
    expectIssued([leaf, ...above], url, fail);
  }
  for (const { url, spki } of ctLogs) readSpki(spki, url, fail);
}

function chainOf(chain: readonly string[], url: string, fail: Fail): readonly X509Certificate[] {
  return chain.map((text) => {
    try {
      const der = fromBase64(text);
      const certificate = new X509Certificate(der);
      return certificate.raw.equals(der) ? certificate : fail(`expected certificates in DER in the chain of ${url}, got bytes behind one`);
    } catch (cause) {
      return fail(`expected certificates in DER in the chain of ${url}, got something else`, cause);
    }
  });
}

/** RFC 5280, section 4.2.1.9: without basicConstraints CA:TRUE a certificate issues nothing. */
function expectIssuers(certificates: readonly X509Certificate[], url: string, fail: Fail): void {
  const other = certificates.find(({ ca }) => !ca);
  if (other !== undefined)
    fail(`expected certificates that may issue (basicConstraints CA:TRUE) in the chain of ${url}, got one of ${subjectOf(other)}`);
}

function expectIssued(chain: readonly X509Certificate[], url: string, fail: Fail): void {
  chain.forEach((certificate, at) => {
    const issuer = chain[at + 1] ?? certificate;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
      fail(
        `expected each certificate signed by the next and the last by itself in the chain of ${url}, got one of ${subjectOf(certificate)} that is not`,
      );
  });
}

function subjectOf({ subject }: X509Certificate): string {
  return JSON.stringify(subject.slice(0, 200));
}

function readSpki(spki: string, url: string, fail: Fail): void {
  try {
    createPublicKey({ key: Buffer.from(fromBase64(spki)), format: 'der', type: 'spki' });
  } catch (cause) {
    fail(`expected the public key of CT log ${url} as SubjectPublicKeyInfo, got something else`, cause);
  }
}
