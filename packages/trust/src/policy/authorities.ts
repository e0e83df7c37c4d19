/** The authorities of a policy: their certificates must be able to say what they are named for, or any leaf could vouch for any other. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { fromBase64 } from '@sealane/core';
import { issuesFor, stampsTimes, unjudgedExtension } from '../sigstore/certificate-use.js';
import type { PolicyAuthorities } from './policy-types.js';

/** What to do about a contradiction: throws. */
type Fail = (what: string, cause?: unknown) => never;

/**
 * Checks that every chain leads, certificate by certificate, to a self-signed root; that all of an authority for certificates may issue, and that
 * a timestamp authority may stamp and not issue. No certificate may ask for what nobody here judges.
 */
export function checkAuthorities({ certificates, timestamps, ctLogs }: PolicyAuthorities, fail: Fail): void {
  for (const { url, chain } of certificates) {
    const read = chainOf(chain, url, fail);
    expectJudged(read, url, fail);
    expectIssuers(read, 'code', url, fail);
    expectIssued(read, url, fail);
  }
  for (const { url, chain } of timestamps) {
    const [leaf, ...above] = chainOf(chain, url, fail);
    if (leaf === undefined || !stampsTimes(leaf)) fail(`expected a certificate for timestamping first in the chain of ${url}, got another`);
    if (above.length === 0) fail(`expected the issuer of its certificate in the chain of ${url}, got none`);
    expectJudged([leaf, ...above], url, fail);
    expectIssuers(above, 'times', url, fail);
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
function expectIssuers(certificates: readonly X509Certificate[], use: 'code' | 'times', url: string, fail: Fail): void {
  const other = certificates.find(({ ca }) => !ca);
  if (other !== undefined)
    fail(`expected certificates that may issue (basicConstraints CA:TRUE) in the chain of ${url}, got one of ${subjectOf(other)}`);
  const unfit = certificates.find((certificate) => !issuesFor(certificate, use));
  if (unfit !== undefined)
    fail(
      `expected issuers of certificates that ${use === 'code' ? 'sign code' : 'stamp times'} in the chain of ${url}, got one of ${subjectOf(unfit)}`,
    );
}

/** RFC 5280, section 4.2: who does not know a critical extension refuses the certificate. Neither chain building nor `@sigstore/verify` does. */
function expectJudged(certificates: readonly X509Certificate[], url: string, fail: Fail): void {
  for (const certificate of certificates) {
    const oid = extensionIn(certificate, url, fail);
    if (oid === undefined) continue;
    const what = oid === '2.5.29.30' ? 'name constraints' : `critical extension ${oid}`;
    fail(`expected certificates without ${what}, which nothing here judges, in the chain of ${url}, got one of ${subjectOf(certificate)}`);
  }
}

function extensionIn(certificate: X509Certificate, url: string, fail: Fail): string | undefined {
  try {
    return unjudgedExtension(certificate);
  } catch (cause) {
    return fail(`expected certificates whose extensions can be read in the chain of ${url}, got one of ${subjectOf(certificate)}`, cause);
  }
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
