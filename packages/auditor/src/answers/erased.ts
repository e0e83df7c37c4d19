/** Documents that are not there: those that were erased, by whose statement and why, and those that are just gone. */
import { type Digest, PREDICATE } from '@sealane/core';
import { readErasure } from '@sealane/trust';
import { type AuditContext, cite, doubt, type Evidence } from './context.js';

/** The registrar's statement that erased a document. */
export interface ErasedBy {
  readonly statement: Digest;
  readonly logIndex: number;
  readonly reason: string;
}

/** Who says that a document was erased, and why; undefined when nobody who may does. What says so is cited in `evidence`. */
export async function erasureOf(context: AuditContext, evidence: Evidence, digest: Digest): Promise<ErasedBy | undefined> {
  for (const entry of await context.ledger.statementsAbout(digest, PREDICATE.erasure)) {
    const policy = context.policies.find(({ registrar }) => registrar.includes(entry.keyId));
    if (policy === undefined || !(await cite(context, evidence, entry, policy, policy.registrar))) continue;
    const { documents, reason } = readErasure(entry.statement);
    if (documents.includes(digest)) return { statement: entry.statementDigest, logIndex: entry.index, reason };
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
