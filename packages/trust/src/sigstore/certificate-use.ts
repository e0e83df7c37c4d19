/**
 * What a certificate may be used for, by its extended key usage (RFC 5280, section 4.2.1.12), and what of it nobody here can judge. Chain building looks at
 * neither.
 */
import type { X509Certificate } from 'node:crypto';
import { readExtensions } from '@sealane/core';

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const ANY_USE = '2.5.29.37.0';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

/** Whether it is a leaf that signs code. */
export function signsCode(certificate: X509Certificate): boolean {
  return !certificate.ca && usesOf(certificate).includes(CODE_SIGNING);
}

/** Whether it is a leaf that stamps times. */
export function stampsTimes(certificate: X509Certificate): boolean {
  return !certificate.ca && usesOf(certificate).includes(TIME_STAMPING);
}

const NAME_CONSTRAINTS = '2.5.29.30';

/** Extensions that are judged: basicConstraints and keyUsage where chains are built, names where identities are read, uses here. */
const JUDGED: readonly string[] = ['2.5.29.19', '2.5.29.15', '2.5.29.17', '2.5.29.37'];

/** Whether an authority may issue certificates that sign code or stamp times: it names no uses, any, or this one. */
export function issuesFor(certificate: X509Certificate, use: 'code' | 'times'): boolean {
  const uses = usesOf(certificate);
  return uses.length === 0 || [ANY_USE, use === 'code' ? CODE_SIGNING : TIME_STAMPING].some((each) => uses.includes(each));
}

/**
 * The extension (object identifier) for which a certificate counts for nothing: a critical one that nobody here judges (RFC 5280, section 4.2), or name
 * constraints, critical or not, since no name is held to them. Undefined where there is none.
 *
 * @throws CoreError `CERTIFICATE_MALFORMED`
 */
export function unjudgedExtension(certificate: X509Certificate): string | undefined {
  const extensions = readExtensions(new Uint8Array(certificate.raw));
  return extensions.find(({ oid, isCritical }) => oid === NAME_CONSTRAINTS || (isCritical && !JUDGED.includes(oid)))?.oid;
}

function usesOf({ keyUsage }: X509Certificate): readonly unknown[] {
  // Node's types know it as text; it is a list, or undefined
  return Array.isArray(keyUsage) ? keyUsage : [];
}
