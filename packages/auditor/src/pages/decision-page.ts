/** `/audit/decision/D`: one decision explained, check by check. */
import { AuditorError, type Digest, isDigest } from '@sealane/core';
import { subjectDigests } from '@sealane/trust';
import { html } from 'hono/html';
import type { AuditContext } from '../answers/context.js';
import { decisions, type Decisions } from '../answers/decisions.js';
import { kindOf } from '../export/index-page.js';
import { answerPage } from './layout.js';
import { type AuditPage, inLedger } from './page.js';
import { questionPath } from './question-page.js';
import { decisionLink, digestCode, factList, type Html, mark, releaseLink, statementLink, table, timeOfDay, toneOf } from './parts.js';

export const decisionPage: AuditPage = {
  path: '/audit/decision/:subject',
  question: 'decisions',
  show: inLedger(async (context, { subject, asOf, asKnown, may }) => {
    const answered = await decisions(context, await releaseOfDecision(context, subject), undefined, { asOf, asKnown });
    const { answer } = answered;
    const decision = answer.decisions.find(({ statement }) => statement === subject);
    if (decision === undefined) throw unknownDecision(subject);
    const title = `Decision for ${decision.stage}: ${answer.name}@${answer.version}`;
    return answerPage(title, answered, { asOf, asKnown }, decisionBody(answer, decision, may('replay') ? replayLink(decision) : undefined));
  }),
};

async function releaseOfDecision({ ledger }: AuditContext, text: string): Promise<Digest> {
  const [found] = isDigest(text) ? await ledger.byStatement(text) : [];
  const [release] = found === undefined ? [] : subjectDigests(found.statement);
  if (release === undefined) throw unknownDecision(text);
  return release;
}

function unknownDecision(text: string): AuditorError {
  return new AuditorError(
    'STATEMENT_UNKNOWN',
    `look up decision ${JSON.stringify(text.slice(0, 80))}: expected the digest of one in the log`,
  );
}

/** The page’s own part. */
export function decisionBody({ release, name, version }: Decisions, decision: Decisions['decisions'][number], again?: Html): Html {
  const { stage, from, result, counter, at, rollout, policy, replay, checks, then, statement, logIndex } = decision;
  const isPassed = result === 'PASSED';
  return html`<h1>${name}@${version} for ${stage}: ${isPassed ? 'passed' : 'refused'}</h1>
    ${factList([
      ['Result', isPassed ? mark('good', 'passed') : mark('bad', 'refused')],
      ['Release', releaseLink(release, `${name}@${version}`)],
      ['Stage', from === null ? stage : `${stage}, coming from ${from}`],
      ['Decided', timeOfDay(at)],
      ['Number in the stage', counter === null ? 'none: it was refused' : String(counter)],
      ['Groups of sites', rollout.length === 0 ? 'none' : rollout.join(', ')],
      ['Policy', digestCode(policy)],
      ['Statement', html`${statementLink(statement)}, entry ${logIndex}`],
      ['Decide again', again ?? html`<code>${replay}</code>`],
    ])}
    <h2>Checks</h2>
    ${table(
      'What each gate expected and found',
      ['Gate', 'Verdict', 'Expected', 'Found', 'What to do', 'Evidence'],
      checks.map(({ id, verdict, expected, actual, remedy, earliest, evidence }) => [
        id,
        mark(toneOf(verdict), verdict),
        expected,
        actual,
        html`${remedy}${earliest === undefined ? '' : html` Not before ${timeOfDay(earliest)}.`}`,
        evidence.length === 0 ? '' : evidenceList(evidence),
      ]),
    )}
    ${then === null ? '' : afterwards(then)}`;
}

function replayLink({ statement, replay }: Decisions['decisions'][number]): Html {
  const query = new URLSearchParams({ decision: statement, ask: '1' }).toString();
  return html`<a href="${questionPath('replay')}?${query}"><code>${replay}</code></a>`;
}

function evidenceList(evidence: readonly Digest[]): Html {
  return html`<details>
    <summary>${evidence.length}</summary>
    ${evidence.map((one) => html`${digestCode(one)} `)}
  </details>`;
}

function afterwards({ statement, at, groups, between }: NonNullable<Decisions['decisions'][number]['then']>): Html {
  const rows = between.map((said) => [html`${said.logIndex}`, kindOf(said.predicateType), statementLink(said.statement)]);
  return html`<h2>What changed until it passed</h2>
    <p>${decisionLink(statement, 'Passed')}${groups.length === 0 ? '' : ` for ${groups.join(', ')}`} ${timeOfDay(at)}, after:</p>
    ${table('Logged about the release in between', ['Entry', 'Kind', 'Statement'], rows)}`;
}
