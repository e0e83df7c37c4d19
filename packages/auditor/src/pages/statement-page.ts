/** `/audit/statement/D`: one statement of the log as it was signed, and how to check it without this page. */
import { AuditorError, envelopePayload, fromUtf8, isDigest } from '@sealane/core';
import { html } from 'hono/html';
import type { LedgerEntry } from '@sealane/ledger';
import { personOf } from '../answers/context.js';
import { kindOf } from '../export/index-page.js';
import { layout } from './layout.js';
import { type AuditPage, inLedger } from './page.js';
import { digestCode, factList, type Html, timeOfDay } from './parts.js';

export const statementPage: AuditPage = {
  path: '/audit/statement/:subject',
  question: 'prove',
  show: inLedger(async (context, { subject }) => {
    const entries = isDigest(subject) ? await context.ledger.byStatement(subject) : [];
    const [first] = entries;
    if (first === undefined)
      throw new AuditorError('STATEMENT_UNKNOWN', `look up statement ${JSON.stringify(subject.slice(0, 80))}: it is not in the ledger`);
    const title = `Statement: ${kindOf(first.statement.predicateType)}`;
    return layout(
      title,
      statementBody(entries, (keyId) => personOf(context, keyId)),
    );
  }),
};

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
