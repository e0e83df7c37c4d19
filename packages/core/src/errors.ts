/** The error classes: one for each package, all with a `code` out of the one table. */
import type { ErrorCode } from './error-table.js';
import { clipped, oneLine } from './printable.js';

/** What a message needs beside its words: plain values, never secrets, never whole payloads. */
export type ErrorData = Readonly<Record<string, unknown>>;

/**
 * An expected failure. `message` says what was being done, to what, expected and got; `code` is what callers branch on;
 * `hint` replaces the table's next step where the thrower knows a better one.
 */
export class SealaneError extends Error {
  readonly code: ErrorCode;
  readonly data: ErrorData;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, data: ErrorData = {}, options: ErrorOptions & { readonly hint?: string } = {}) {
    super(bounded(message), options);
    this.name = new.target.name;
    this.code = code;
    this.data = data;
    this.hint = options.hint;
  }
}

/** Longest message, in UTF-16 units: what a receipt can record of a check. */
const MAX_MESSAGE = 2000;

/** Messages quote strangers: nothing in one may draw on a terminal, forge a second line of a log, or fill it. */
function bounded(message: string): string {
  const line = oneLine(message);
  return line.length <= MAX_MESSAGE ? line : `${clipped(line, MAX_MESSAGE - 1)}…`;
}

/** Failures of `core`: malformed digests, documents, notes, proofs. */
export class CoreError extends SealaneError {}
/** Failures of `trust`: the named refusals. */
export class TrustError extends SealaneError {}
/** Failures of `oci`: content, registries, archives. */
export class OciError extends SealaneError {}
/** Failures of `ledger`: the log, its store, the witness. */
export class LedgerError extends SealaneError {}
/** Failures of `promoter`. */
export class PromoterError extends SealaneError {}
/** Failures of `site`. */
export class SiteError extends SealaneError {}
/** Failures of `auditor`. */
export class AuditorError extends SealaneError {}
