/** Documents and statements that are not there: those that were erased, by whose statement and why, and those that are just gone. */
import { type Digest, PREDICATE } from '@sealane/core';
import type { ErasedEntry } from '@sealane/ledger';
import { readErasure } from '@sealane/trust';
import { cite, doubt, type Evidence } from './answer.js';
import type { AuditContext } from './context.js';

/** The registrar's statement that erased a document, or what a statement says. */
export interface ErasedBy {
  readonly statement: Digest;
  readonly logIndex: number;
  readonly reason: string;
}

/** Who says that a document or a statement was erased, and why; undefined when nobody who may does. What says so is cited in `evidence`. */
export async function erasureOf(context: AuditContext, evidence: Evidence, digest: Digest): Promise<ErasedBy | undefined> {
  for (const entry of await context.ledger.statementsAbout(digest, PREDICATE.erasure)) {
    const policy = context.policies.find(({ registrar }) => registrar.includes(entry.keyId));
    if (policy === undefined || !(await cite(context, evidence, entry, policy, policy.registrar))) continue;
    const { documents, statements = [], reason } = readErasure(entry.statement);
    if (documents.includes(digest) || statements.some(({ statement }) => statement === digest))
      return { statement: entry.statementDigest, logIndex: entry.index, reason };
  }
  return undefined;
}

/** Makes a doubt of each document that an answer should rest on and that is not there: `CONTENT_ERASED` with the reason, or `CONTENT_MISSING`. */
export async function doubtGone(context: AuditContext, evidence: Evidence): Promise<void> {
  for (const { entry, digest, what } of evidence.gone) {
    const erased = await erasureOf(context, evidence, digest);
    const named = `the ${what} ${digest} of entry ${entry.index}`;
    if (erased === undefined) doubt(evidence, entry, 'CONTENT_MISSING', `${named} is not there`);
    else doubt(evidence, entry, 'CONTENT_ERASED', `${named} was erased by the registrar in entry ${erased.logIndex}: ${erased.reason}`);
  }
}

/** Makes a doubt of each entry that says nothing any more: `STATEMENT_ERASED`, with the reason where a registrar ordered it. */
export async function doubtErased(context: AuditContext, evidence: Evidence, gone: readonly ErasedEntry[]): Promise<void> {
  for (const entry of gone) {
    const by = await erasureOf(context, evidence, entry.statementDigest);
    const who =
      by === undefined
        ? `entry ${entry.erasure}, of which no registrar's signature was known`
        : `the registrar in entry ${by.logIndex}: ${by.reason}`;
    doubt(evidence, entry, 'STATEMENT_ERASED', `what entry ${entry.index} says was erased by ${who}`);
  }
}
