/** What a certificate may be used for, by its extended key usage (RFC 5280, section 4.2.1.12). Chain building does not look at it. */
import type { X509Certificate } from 'node:crypto';

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

/** Whether it is a leaf that signs code. */
export function signsCode(certificate: X509Certificate): boolean {
  return !certificate.ca && usesOf(certificate).includes(CODE_SIGNING);
}

/** Whether it is a leaf that stamps times. */
export function stampsTimes(certificate: X509Certificate): boolean {
  return !certificate.ca && usesOf(certificate).includes(TIME_STAMPING);
}

function usesOf({ keyUsage }: X509Certificate): readonly unknown[] {
  // Node's types know it as text; it is a list, or undefined
  return Array.isArray(keyUsage) ? keyUsage : [];
}
