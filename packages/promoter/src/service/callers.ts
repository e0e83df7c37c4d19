/** From verified claims or a verified certificate to the one caller that service.yaml means. Pure: who verifies is in the shells. */
import type { CallerRule, ServiceConfig } from './service-file.js';
import type { Right } from './rights.js';

/** What a verified client certificate says: its key's id and its alternative names. */
export interface CertificateFacts {
  readonly keyId: string;
  readonly names: readonly string[];
}

/** A caller, or why there is none; the reason is for the log only. */
export type Found = { readonly caller: CallerRule } | { readonly reason: string };

/** The caller that a token's claims mean. `claims` come from a token whose signature, issuer, audience and times hold. */
export function callerByClaims({ callers }: ServiceConfig, issuer: string, claims: Readonly<Record<string, unknown>>): Found {
  return theOne(
    callers.filter(
      ({ token }) =>
        // an exact comparison of type and value: no prefix, no pattern, no number for a text
        token?.issuer === issuer &&
        Object.entries(token.claims).every(([name, value]) => Object.hasOwn(claims, name) && claims[name] === value),
    ),
    'the claims of the token',
  );
}

/** The caller that a certificate means. */
export function callerByCertificate({ callers }: ServiceConfig, { keyId, names }: CertificateFacts): Found {
  return theOne(
    callers.filter(
      ({ certificate }) =>
        certificate !== undefined && (certificate.key === keyId || (certificate.san !== undefined && names.includes(certificate.san))),
    ),
    'the certificate',
  );
}

/** Two that fit are as bad as none: nobody has said which rights are meant. */
function theOne(found: readonly CallerRule[], what: string): Found {
  const [caller] = found;
  if (caller !== undefined && found.length === 1) return { caller };
  return { reason: `${what}: expected exactly one caller that fits, got ${found.map(({ name }) => name).join(', ') || 'none'}` };
}

/** Whether a caller may call a route, for a stage where the route names one. */
export function mayCall({ rights, stages }: CallerRule, right: Right, stage: string | undefined): boolean {
  return rights.includes(right) && (right !== 'promote' || (stage !== undefined && stages.includes(stage)));
}
