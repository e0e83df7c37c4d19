/** `urn:sealane:exception:v1`: one expiring, counted permission, bound to a release and a stage. Signed by people that policy names for its kind. */
import { type Digest, PREDICATE, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { digestShape, keyIdShape, MAX_LIST, nameShape, saltShape, textShape, timeShape } from '../../policy/shapes.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/**
 * What can be let through: a gate that does not hold; a promotion window that is closed; sites whose hardware nobody tested; an install at a site whose
 * trust has expired; going back below the floor at a site; verbs that a technician has not, for one person at a site. The last three are used by one site.
 */
export const EXCEPTION_KINDS = ['gate', 'window', 'hardware', 'stale', 'rollback', 'local-role'] as const;
export type ExceptionKind = (typeof EXCEPTION_KINDS)[number];

/** The kinds that a site uses by itself, once; `local-role` as often as it says. */
export const SITE_EXCEPTION_KINDS = ['stale', 'rollback', 'local-role'] as const satisfies readonly ExceptionKind[];
export type SiteExceptionKind = (typeof SITE_EXCEPTION_KINDS)[number];

/** Who may do what at a site that a technician may not: a name by which the person is known there, and verbs of `sealane-site`. */
export type GrantedRole = { readonly person: string; readonly verbs: readonly string[] };

/** Zod's shape of a role. */
export const grantedRoleShape = z.strictObject({
  person: nameShape,
  verbs: z.array(z.string().min(1).max(32)).min(1).max(16),
});

/** Most uses of one exception: a use is one decision, and a stage has few groups. */
const MAX_USES = 64;

/**
 * The predicate. People who grant it together sign one each, with the same terms: all but `reason` and `issuedAt`. `nonce` tells exceptions with
 * the same terms apart; it is that of the site's request where there was one. `gate`, `sites` and `site` belong to the kinds that need them. `settings` =
 * digest of the gate's settings (RFC 8785), where its stage has several of one name.
 */
export type ExceptionPredicate = {
  readonly kind: ExceptionKind;
  readonly release: Digest;
  readonly stage: string;
  readonly gate?: string;
  readonly settings?: Digest;
  readonly sites?: readonly string[];
  readonly site?: { readonly name: string; readonly keyId: string };
  readonly role?: GrantedRole;
  readonly uses: number;
  readonly reason: string;
  readonly nonce: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
};

/** Zod's shape of the predicate. */
export const exceptionShape = z.strictObject({
  kind: z.enum(EXCEPTION_KINDS),
  release: digestShape,
  stage: nameShape,
  gate: nameShape.exactOptional(),
  settings: digestShape.exactOptional(),
  sites: z.array(nameShape).min(1).max(MAX_LIST).exactOptional(),
  site: z.strictObject({ name: nameShape, keyId: keyIdShape }).exactOptional(),
  role: grantedRoleShape.exactOptional(),
  uses: z.int().min(1).max(MAX_USES),
  reason: textShape.min(1),
  nonce: saltShape,
  issuedAt: timeShape,
  expiresAt: timeShape,
});

/** What each kind is bound to beside release and stage. */
const BOUND_TO = {
  gate: ['gate'],
  window: [],
  hardware: ['sites'],
  stale: ['site'],
  rollback: ['site'],
  'local-role': ['site', 'role'],
} as const satisfies Record<ExceptionKind, readonly ('gate' | 'sites' | 'site' | 'role')[]>;

const format: PredicateFormat<ExceptionPredicate> = { what: 'exception', predicateType: PREDICATE.exception, shape: exceptionShape };

/** Reads an exception. @throws TrustError `TRUST_MALFORMED` another shape, bound to what its kind is not, or one that expires before it was issued */
export function readException(statement: Statement): ExceptionPredicate {
  const exception = readPredicate(format, statement);
  checkException(exception);
  return exception;
}

/** What people who grant an exception together must all have signed. */
export function exceptionTerms(exception: ExceptionPredicate): string {
  const { kind, release, stage, gate, settings, sites, site, role, uses, nonce, expiresAt } = exception;
  const may = role === undefined ? (settings ?? []) : JSON.stringify([role.person, role.verbs]);
  return [kind, release, stage, gate ?? '', (sites ?? []).join(), site?.name ?? '', site?.keyId ?? '', uses, nonce, expiresAt]
    .concat(may)
    .join('\n');
}

/** The payload of an exception; its subject is the release. @throws TrustError `TRUST_MALFORMED` */
export function exceptionStatement(predicate: ExceptionPredicate): Uint8Array {
  checkException(predicate);
  return writePredicate(format, [{ digest: predicate.release }], predicate);
}

function checkException(exception: ExceptionPredicate): void {
  const { kind, uses, issuedAt, expiresAt } = exception;
  if (expiresAt <= issuedAt) throw malformed(`an end after ${issuedAt}`, expiresAt);
  const wanted: readonly string[] = BOUND_TO[kind];
  const there = (['gate', 'sites', 'site', 'role'] as const).filter((name) => exception[name] !== undefined);
  if (there.join() !== wanted.join())
    throw malformed(`one of kind ${kind} with ${wanted.join() || 'nothing more'}`, there.join() || 'nothing');
  if (exception.settings !== undefined && kind !== 'gate' && kind !== 'window')
    throw malformed(`one of kind ${kind} without settings of a gate`, exception.settings);
  if (isSiteKind(kind) && kind !== 'local-role' && uses !== 1) throw malformed(`one use for kind ${kind}`, String(uses));
}

/** Whether an exception of this kind is used at a site. */
export function isSiteKind(kind: ExceptionKind): kind is SiteExceptionKind {
  return SITE_EXCEPTION_KINDS.some((each) => each === kind);
}

function malformed(expected: string, got: string): TrustError {
  return new TrustError('TRUST_MALFORMED', `read exception: expected ${expected}, got ${got}`);
}
