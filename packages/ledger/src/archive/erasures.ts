/**
 * What is left of statements that were erased: what the erasure itself says of each. It is in the log, signed by who ordered it, so the projection can still be
 * made from the log alone, and what looks for statements about a release still finds that there was one.
 */
import { type Digest, digestHex, isDigest, type JsonValue, LedgerError, PREDICATE, type Statement } from '@sealane/core';
import { asObject } from '../projection/predicate-fields.js';

/** What an erasure says of one statement. */
export interface ErasedStatement {
  readonly logIndex: number;
  readonly statement: Digest;
  /** Hash of its leaf, as the tree has it: the digest of the payload is in it, and says nothing without that. */
  readonly leaf: Digest;
  readonly predicateType: string;
  readonly subject: readonly Digest[];
}

/** As a statement that says nothing: its type, and what it was about. */
export function remainsOf({ predicateType, subject }: ErasedStatement): Pick<Statement, 'predicateType' | 'subject'> {
  return { predicateType, subject: subject.map((digest) => ({ digest: { sha256: digestHex(digest) } })) };
}

/** The statements that an erasure names; none where it is no erasure, or names documents only. @throws LedgerError `STATEMENT_MALFORMED` */
export function erasedBy({ predicateType, predicate }: Statement): readonly ErasedStatement[] {
  const { statements } = predicate;
  if (predicateType !== PREDICATE.erasure || statements === undefined) return [];
  if (!Array.isArray(statements)) throw malformed('a list');
  return statements.map(erasedStatement);
}

function erasedStatement(value: JsonValue): ErasedStatement {
  const { logIndex, statement, leaf, predicateType, subject } = asObject(value) ?? {};
  const isIndex = typeof logIndex === 'number' && Number.isSafeInteger(logIndex) && logIndex >= 0;
  if (!isIndex || !isDigest(statement) || !isDigest(leaf)) throw malformed('logIndex, statement and leaf');
  if (typeof predicateType !== 'string' || !Array.isArray(subject) || !subject.every(isDigest))
    throw malformed('predicateType and subject');
  return { logIndex, statement, leaf, predicateType, subject };
}

/** The erasure that a row names: where it is in the log, and its digest, since the row is read before its entry is verified. */
export interface ErasureName {
  readonly erasure: number;
  readonly order: Digest;
}

/** The text under the line of a row: whoever logs an erasure, it counts only where the promoter found that he may, and as he read it then. */
export function erasedText(
  origin: string,
  { index, erasure, order, size }: ErasureName & { readonly index: number; readonly size: number },
): string {
  return `urn:sealane:erased:v1 ${origin}\n${index}\n${erasure}\n${order}\n${size}\n`;
}

function malformed(expected: string): LedgerError {
  return new LedgerError('STATEMENT_MALFORMED', `read the statements of an erasure: expected ${expected}`);
}
