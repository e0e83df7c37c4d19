/** Step 7: the release. What the author signed, and the manifest whose digest all the others vouched for, say the same. */
import { canonicalJson, type Digest, fromUtf8, type JsonValue, LIMITS, PREDICATE, TrustError } from '@sealane/core';
import { readRelease, type ReleasePredicate } from '../evidence/predicates/release.js';
import { isAbout } from '../evidence/predicates/statement.js';
import { parseJson } from '../policy/document.js';
import type { Policy } from '../policy/policy-types.js';
import { outsideScope } from '../policy/scope.js';
import type { LaneReader } from './lane-reader.js';
import type { WaybillStatements } from './waybill-step.js';

/**
 * The author's statement about the release.
 *
 * @throws TrustError `EVIDENCE_SIGNER` none by an author that policy names; `EVIDENCE_SCOPE` only by authors of other teams; `KEY_REVOKED`; `TRUST_MALFORMED`
 */
export function openRelease(release: Digest, { statements, refused }: WaybillStatements, policy: Policy): ReleasePredicate {
  const claims = statements.filter(({ statement }) => statement.predicateType === PREDICATE.release && isAbout(statement, release));
  const signed = claims
    .filter(({ keyId }) => policy.signers.release.includes(keyId))
    .map(({ keyId, statement }) => ({ release: readRelease(statement), keyId }));
  const outside = signed.map(({ release: doc, keyId }) => outsideScope(policy, doc, keyId));
  const counting = signed[outside.indexOf(undefined)];
  if (counting !== undefined) return counting.release;
  if (signed.length > 0) throw new TrustError('EVIDENCE_SCOPE', `find the release statement of ${release}: ${outside[0] ?? ''}`);
  const refusal = refused.find(({ predicateType }) => predicateType === PREDICATE.release);
  if (refusal !== undefined && claims.length === 0)
    throw new TrustError(refusal.code, `find the release statement of ${release}: ${refusal.why}`);
  throw new TrustError(
    'EVIDENCE_SIGNER',
    `find the release statement of ${release}: expected one by an author that policy names, got ${claims.length === 0 ? 'none' : 'others'}`,
  );
}

/** Annotations of the release manifest: name, version, and what the release declares, as canonical JSON. */
const TITLE = 'org.opencontainers.image.title';
const VERSION = 'org.opencontainers.image.version';
const DECLARES = 'dev.sealane.release.declares';
/** Annotations of a component: its name, what it is, and that there is no way back from it. */
const PART = 'dev.sealane.component.';

/**
 * Reads the release manifest (an OCI index) and compares it with what the author signed. Blobs below it are checked as they are laid down.
 *
 * @throws TrustError `CONTENT_MISSING`, `CONTENT_DIGEST`; `WAYBILL_SUBJECT` another name, other components or declarations than the author signed
 */
export function checkManifest(reader: LaneReader, release: Digest, claimed: ReleasePredicate): void {
  const manifest = parseJson(`release manifest ${release}`, reader.blob(release, LIMITS.releaseManifestBytes), LIMITS.releaseManifestBytes);
  // gates judge the parts as they were signed, and the site lays them down as they are listed: a manifest must not be signed as anything else
  const listed = itemsOf(fieldOf(manifest, 'manifests')).map((item) => {
    const said = fieldOf(item, 'annotations');
    const about = ['name', 'kind', 'one-way'].map((name) => textOf(fieldOf(said, `${PART}${name}`)));
    return [textOf(fieldOf(item, 'digest')), textOf(fieldOf(item, 'size')), ...about].join(' ');
  });
  const signed = claimed.components.map(({ name, kind, digest, size, oneWay }) =>
    [digest, size, name, kind, oneWay === true ? 'true' : ''].join(' '),
  );
  if ([...listed].sort().join('\n') !== [...signed].sort().join('\n')) {
    throw new TrustError(
      'WAYBILL_SUBJECT',
      `read release manifest ${release}: expected the ${signed.length} components that the author signed, got others`,
    );
  }
  const annotation = (name: string): string => textOf(fieldOf(fieldOf(manifest, 'annotations'), name));
  const called = `${annotation(TITLE)}@${annotation(VERSION)}`;
  // scopes are given by name: a release must not have another one in the statement of another team's author
  if (called !== `${claimed.name}@${claimed.version}`)
    throw new TrustError(
      'WAYBILL_SUBJECT',
      `read release manifest ${release}: expected it to be ${claimed.name}@${claimed.version}, got ${called.slice(0, 200)}`,
    );
  // the digest covers the manifest, not the statement: two statements about one release must not declare two things
  const declared = annotation(DECLARES);
  if (declared !== (claimed.declares === undefined ? '' : fromUtf8(canonicalJson(claimed.declares)))) {
    throw new TrustError(
      'WAYBILL_SUBJECT',
      `read release manifest ${release}: expected it to declare what the author signed, got something else`,
    );
  }
}

function fieldOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return typeof value === 'object' && value !== null && !isList(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function itemsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isList(value) ? value : [];
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
