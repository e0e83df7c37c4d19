/** in-toto statements v1: a predicate about subjects that are named by digest. */
import { canonicalJson, type JsonObject, type JsonValue } from './canonical-json.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { parseStrictJson } from './strict-json.js';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** A release of many images with many platforms stays far below. */
const MAX_SUBJECTS = 10_000;

/** The predicate types that Sealane reads. */
export const PREDICATE = {
  release: 'urn:sealane:release:v1',
  provenance: 'https://slsa.dev/provenance/v1',
  vulnerabilities: 'https://in-toto.io/attestation/vulns/v0.2',
  cyclonedx: 'https://cyclonedx.org/bom',
  spdx: 'https://spdx.dev/Document',
  testResult: 'https://in-toto.io/attestation/test-result/v0.1',
  decision: 'https://slsa.dev/verification_summary/v1',
  approval: 'urn:sealane:approval:v1',
  exceptionRequest: 'urn:sealane:exception-request:v1',
  receipt: 'urn:sealane:receipt:v1',
  revocation: 'urn:sealane:revocation:v1',
  siteRecord: 'urn:sealane:site:v1',
  retirement: 'urn:sealane:retirement:v1',
  delegation: 'urn:sealane:delegation:v1',
  siteCertificate: 'urn:sealane:site-certificate:v1',
  rig: 'urn:sealane:rig:v1',
  rigRebuild: 'urn:sealane:rig-rebuild:v1',
  recall: 'urn:sealane:recall:v1',
  erasure: 'urn:sealane:erasure:v1',
  exception: 'urn:sealane:exception:v1',
  carriedBundle: 'urn:sealane:carried-bundle:v1',
  order: 'urn:sealane:order:v1',
  anchor: 'urn:sealane:anchor:v1',
  root: 'urn:sealane:root:v1',
  review: 'urn:sealane:review:v1',
  secret: 'urn:sealane:secret:v1',
} as const;

/** A subject: bytes by SHA-256 (64 hex digits), with a name for people. */
export interface Subject {
  readonly name?: string;
  readonly digest: { readonly sha256: string };
}

/** A statement as signed. */
export interface Statement {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: JsonObject;
}

/** The payload bytes of a statement: RFC 8785, so equal statements have equal digests. */
export function encodeStatement(statement: Omit<Statement, '_type'>): Uint8Array {
  const { subject, predicateType, predicate } = statement;
  return canonicalJson({ _type: STATEMENT_TYPE, subject: subject.map((item) => ({ ...item })), predicateType, predicate });
}

/**
 * A statement out of payload bytes whose signature has been verified. Statements of other tools need not be canonical JSON.
 *
 * @throws CoreError `STATEMENT_MALFORMED`, or the `JSON_` codes
 */
export function parseStatement(payload: Uint8Array): Statement {
  const value = parseStrictJson(payload, { maxBytes: LIMITS.statementBytes, maxDepth: LIMITS.jsonDepth });
  const { _type: type, subject, predicateType, predicate } = asObject(value, 'a statement');
  if (type !== STATEMENT_TYPE) throw malformed(`_type ${STATEMENT_TYPE}`);
  if (typeof predicateType !== 'string' || predicateType === '') throw malformed('a predicateType');
  if (!Array.isArray(subject) || subject.length === 0 || subject.length > MAX_SUBJECTS) {
    throw malformed(`1 to ${MAX_SUBJECTS} subjects`);
  }
  return { _type: type, subject: subject.map(parseSubject), predicateType, predicate: asObject(predicate, 'a predicate') };
}

function parseSubject(value: JsonValue): Subject {
  const { name, digest } = asObject(value, 'a subject');
  const { sha256 } = asObject(digest, 'a digest set');
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) throw malformed('subjects named by sha256');
  if (name !== undefined && typeof name !== 'string') throw malformed('subject names as text');
  return name === undefined ? { digest: { sha256 } } : { name, digest: { sha256 } };
}

function asObject(value: JsonValue | undefined, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} as an object`);
  return value as JsonObject;
}

function malformed(expected: string): CoreError {
  return new CoreError('STATEMENT_MALFORMED', `read an in-toto statement: expected ${expected}`);
}
