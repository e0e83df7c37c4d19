/** The two ways between a predicate of ours and an in-toto statement; each predicate's file uses them. */
import { type Digest, encodeStatement, type JsonObject, parseDigest, type Statement, TrustError } from '@sealane/core';
import type { z } from 'zod';
import { parseShape } from '../../policy/document.js';

/** A predicate's type URI, its shape, and its name in messages. */
export interface PredicateFormat<T> {
  readonly what: string;
  readonly predicateType: string;
  readonly shape: z.ZodType<T>;
}

/**
 * Reads the predicate of a statement.
 *
 * @throws TrustError `TRUST_MALFORMED` another predicate type or another shape
 */
export function readPredicate<T>(format: PredicateFormat<T>, statement: Statement): T {
  if (statement.predicateType !== format.predicateType) {
    throw new TrustError(
      'TRUST_MALFORMED',
      `read ${format.what}: expected predicate ${format.predicateType}, got ${statement.predicateType.slice(0, 200)}`,
    );
  }
  return parseShape(format.what, format.shape, statement.predicate);
}

/**
 * The payload of a statement (canonical JSON), its predicate checked by the shape that readers use.
 *
 * `subject` names what the statement is about: pairs of name and digest, the main one first.
 *
 * @throws TrustError `TRUST_MALFORMED` the predicate has another shape
 */
export function writePredicate<T extends JsonObject>(
  format: PredicateFormat<T>,
  subject: readonly { readonly name?: string; readonly digest: Digest }[],
  predicate: T,
): Uint8Array {
  parseShape(format.what, format.shape, predicate);
  return encodeStatement({ subject: subject.map(subjectEntry), predicateType: format.predicateType, predicate });
}

/** Every digest that a statement is about. */
export function subjectDigests(statement: Statement): readonly Digest[] {
  return statement.subject.map((entry) => parseDigest(`sha256:${entry.digest.sha256}`));
}

/** Whether a statement is about these bytes: DSSE verification alone does not bind it to them. */
export function isAbout(statement: Statement, digest: Digest): boolean {
  return statement.subject.some((entry) => `sha256:${entry.digest.sha256}` === digest);
}

function subjectEntry(entry: { readonly name?: string; readonly digest: Digest }): Statement['subject'][number] {
  const digest = { sha256: entry.digest.slice('sha256:'.length) };
  return entry.name === undefined ? { digest } : { name: entry.name, digest };
}
