/** `/audit/statement/D`: one statement of the log as it was signed, and how to check it without this page. */
import { AuditorError, envelopePayload, fromUtf8, isDigest, SealaneError, verifyEnvelope } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { checkCertified, type Policy, verifyTrustOf } from '@sealane/trust';
import { html } from 'hono/html';
import { citeEntry, doubt } from '../answers/answer.js';
import { type AuditContext, personOf } from '../answers/context.js';
import { type Answered, inquire } from '../answers/inquiry.js';
import { kindOf } from '../export/index-page.js';
import { answerPage } from './layout.js';
import { type AuditPage, inLedger } from './page.js';
import { digestCode, factList, type Html, timeOfDay } from './parts.js';

export const statementPage: AuditPage = {
  path: '/audit/statement/:subject',
  question: 'prove',
  show: inLedger(async (context, { subject }) => {
    const answered = await signedStatement(context, subject);
    const { predicateType, entries } = answered.answer;
    const body = statementBody(entries, (keyId) => personOf(context, keyId));
    return answerPage(`Statement: ${kindOf(predicateType)}`, answered, undefined, body);
  }),
};

/** A statement that the log has; `entries` are those whose signature holds, the others are doubts. */
interface SignedStatement {
  readonly predicateType: string;
  readonly entries: readonly LedgerEntry[];
}

/**
 * The entries of a statement, each by the key that it names, and proved to be in the log. Whether that key may say such a thing is asked by those whom it concerns.
 *
 * @throws AuditorError `STATEMENT_UNKNOWN`; LedgerError `STATEMENT_ERASED`; as `inquire`
 */
export async function signedStatement(context: AuditContext, named: string): Promise<Answered<SignedStatement>> {
  return await inquire(context, `statement ${named}`, {}, async ({ context: { policies }, evidence }) => {
    // what was erased is an error, and not left out
    const found = isDigest(named) ? await context.ledger.byStatement(named) : [];
    const [first] = found;
    if (first === undefined)
      throw new AuditorError('STATEMENT_UNKNOWN', `look up statement ${JSON.stringify(named.slice(0, 80))}: it is not in the ledger`);
    const entries = found.filter((entry) => {
      const objection = objectionTo(entry, policies);
      if (objection !== undefined) doubt(evidence, entry, objection.code, objection.message);
      return objection === undefined;
    });
    for (const entry of entries) citeEntry(evidence, entry);
    return { predicateType: first.statement.predicateType, entries };
  });
}

/** Why its key did not sign it; undefined: it did. A keyless one counts by authorities that a policy names, since anybody can make a certificate in anybody's name. */
function objectionTo(entry: LedgerEntry, policies: readonly Policy[]): SealaneError | undefined {
  const { index, envelope, spki, certified, statementDigest, keyId } = entry;
  if (!verifyEnvelope(envelope, spki))
    return new AuditorError('STATEMENT_SIGNATURE', `read entry ${index}: expected a signature by ${keyId}, got another`, { index });
  if (certified === undefined) return undefined;
  const objections = policies.map((policy) =>
    certificateObjection(() => checkCertified(statementDigest, { ...entry, certified }, verifyTrustOf(policy))),
  );
  return objections.includes(undefined) ? undefined : objections[0];
}

function certificateObjection(check: () => void): SealaneError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof SealaneError) return error;
    throw error;
  }
}

/** The page’s own part: the same bytes may have been signed more than once. */
export function statementBody(entries: readonly LedgerEntry[], personOf: (keyId: string) => string | undefined): Html {
  const [first] = entries;
  if (first === undefined) return html``;
  const { statement, statementDigest } = first;
  return html`<h1>Statement: ${kindOf(statement.predicateType)}</h1>
    ${factList([
      ['Digest', digestCode(statementDigest)],
      ['Predicate', html`<code>${statement.predicateType}</code>`],
      ['About', html`${statement.subject.map(({ name, digest }) => html`${name} ${digestCode(`sha256:${digest.sha256}`)}<br />`)}`],
    ])}
    ${entries.map((entry) => entryPart(entry, personOf(entry.keyId)))}
    <h2>What was signed</h2>
    <pre>${textOf(first)}</pre>`;
}

function entryPart({ index, keyId, loggedAt, statementDigest }: LedgerEntry, person: string | undefined): Html {
  const address = `/audit/verify?entry=${index}&statement=${encodeURIComponent(statementDigest)}`;
  return html`<h2>Entry ${index} of the log</h2>
    ${factList([
      ['Signed by', html`${person ?? ''} <code>${keyId}</code>`],
      ['Logged', timeOfDay(loggedAt)],
      ['Check it', html`<a href="${address}">Verify in this browser</a>, with keys that you bring`],
      ['Take it along', html`<a href="/api/v1/log/${index}" download="statement-${index}.json">the statement with its proof</a>`],
    ])}`;
}

/** In lines, where that changes nothing of what was signed. */
function textOf({ envelope }: LedgerEntry): string {
  const text = fromUtf8(envelopePayload(envelope));
  const value: unknown = JSON.parse(text);
  return JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : text;
}
