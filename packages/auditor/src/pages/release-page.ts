/** `/audit/release/R`: a release on its way through the stages, with what each decided by and all evidence. */
import { counted } from '@sealane/core';
import { html } from 'hono/html';
import { adoption } from '../answers/adoption.js';
import { startEvidence } from '../answers/answer.js';
import { releaseNamed, timeOf } from '../answers/inquiry.js';
import { textAt } from '../answers/json-at.js';
import { type Trace, traceRelease } from '../answers/trace.js';
import { adoptionPart } from './adoption-part.js';
import { answerPage } from './layout.js';
import { type AuditPage, inLedger } from './page.js';
import { decisionLink, digestCode, factList, type Html, mark, siteLink, statementLink, table, timeOfDay, toneOf } from './parts.js';
import { questionLinks } from './questions.js';
import { restingOnBoth } from './resting-on-both.js';

/** Histories that a page reads: each is verified, receipt by receipt. */
const MAX_DRAWN_SITES = 200;

/** Questions that a release alone answers. */
const ABOUT_RELEASES = ['devices', 'cases', 'approvals', 'decisions', 'evidence', 'awareness'] as const;

export const releasePage: AuditPage = {
  path: '/audit/release/:subject',
  question: 'trace',
  show: inLedger(async (context, { subject, asOf, asKnown, may }) => {
    const traced = await traceRelease(context, await releaseNamed(context, subject), { asOf, asKnown });
    const told = [...new Set(traced.answer.sites.map(({ site }) => site))];
    const adopted = told.length > MAX_DRAWN_SITES ? undefined : await adoption(context, traced.answer.release, told, { asOf, asKnown });
    const answered = adopted === undefined ? traced : restingOnBoth(traced, adopted);
    const until = asOf ?? (await timeOf({ context, evidence: startEvidence(), asOf: undefined }));
    const drawn = adopted === undefined ? tooMany(told.length) : adoptionPart(adopted.answer.steps, until);
    const stages = [...context.policies].sort((a, b) => a.chain.length - b.chain.length).map(({ stage }) => stage);
    const { release, name, version } = answered.answer;
    return answerPage(
      `${name}@${version}`,
      answered,
      { asOf, asKnown },
      releaseBody(answered.answer, stages, drawn, questionLinks(ABOUT_RELEASES.filter(may), { release })),
    );
  }),
};

function tooMany(sites: number): Html {
  return html`<p class="soft">${counted(sites, 'site')}: <code>sealane audit population</code> tells what each runs.</p>`;
}

/** The page’s own part; `stages` are those of the lane, in order, `adopted` how many sites ran it over time, `more` leads to other questions about it. */
export function releaseBody(trace: Trace, stages: readonly string[], adopted: Html, more?: Html): Html {
  const { release, name, version, provenance, tests, testedOn, components, approvals, sites, elsewhere } = trace;
  return html`<h1>${name}@${version}</h1>
    ${factList([
      ['Release', digestCode(release)],
      ['Hardware', html`<a href="/audit/coverage/${encodeURIComponent(release)}">which sites’ hardware its tests cover</a>`],
      ...(more === undefined ? [] : [['More', more] as const]),
    ])}
    <h2>Path through the stages</h2>
    <ol class="path">
      ${stages.map((stage) => stageCard(stage, trace))}
    </ol>
    <h2>Built</h2>
    ${table(
      'Who built it, from what',
      ['Builder', 'Commits', 'Statement'],
      provenance.map(({ builder, commits, statement }) => [builder, html`<code>${commits.join(', ')}</code>`, statementLink(statement)]),
    )}
    <h2>Tested</h2>
    ${table(
      'Runs of its tests',
      ['Suite', 'Result', 'Passed', 'On', 'Statement'],
      tests.map(({ suite, result, passed, total, statement }) => [
        suite,
        mark(toneOf(result), result),
        html`<span class="number">${passed} of ${total}</span>`,
        testedOn
          .filter((one) => one.statement === statement)
          .map(({ label }) => label)
          .join('; ') || 'no hardware named',
        statementLink(statement),
      ]),
    )}
    <h2>Approvals</h2>
    ${table(
      'Who approved or rejected',
      ['Person', 'Stage', 'Verdict', 'When', 'Statement'],
      approvals.map(({ person, stage, verdict, issuedAt, statement }) => {
        return [person, stage, mark(toneOf(verdict), verdict), timeOfDay(issuedAt), statementLink(statement)];
      }),
    )}
    <h2>Sites</h2>
    ${adopted}
    ${table(
      'What sites said of it',
      ['Site', 'Event', 'When', 'Why'],
      sites.map(({ site, event, at, reason }) => [siteLink(site), mark(toneOf(event), event), timeOfDay(at), reason ?? '']),
    )}
    <h2>Components</h2>
    ${table(
      'What it is made of',
      ['Component', 'Kind', 'Digest'],
      components.map((component) => [component.name, component.kind, digestCode(component.digest)]),
    )}
    ${elsewhere.length === 0 ? '' : elsewherePart(elsewhere)}`;
}

/** One stage: the last decision by its gates, and links to the earlier ones. */
function stageCard(stage: string, { decisions }: Trace): Html {
  const here = decisions.filter((decision) => decision.stage === stage);
  const last = here.at(-1);
  if (last === undefined)
    return html`<li>
      <div class="top">
        <h3>${stage}</h3>
        ${mark('none', 'not decided')}
      </div>
    </li>`;
  const isPassed = last.result === 'PASSED';
  return html`<li class="${isPassed ? 'passed' : 'refused'}">
    <div class="top">
      <h3>${stage}</h3>
      ${isPassed ? mark('good', 'passed') : mark('bad', 'refused')}
    </div>
    <p>
      ${decisionLink(last.statement, last.counter === null ? `Decision for ${stage}` : `Decision ${last.counter} for ${stage}`)}<br />
      ${timeOfDay(last.at)} ${groupsText(last)}
    </p>
    <ul class="gates">
      ${last.checks.map((check) => html`<li><span>${textAt(check, 'id')}</span> ${mark(toneOf(textAt(check, 'verdict')), textAt(check, 'verdict'))}</li>`)}
    </ul>
    ${here.length === 1 ? '' : earlier(here.slice(0, -1))}
  </li>`;
}

/** What was refused for some groups of sites may run in others. */
function groupsText({ rollout }: Pick<Trace['decisions'][number], 'rollout'>): string {
  return rollout.length === 0 ? '' : `for ${rollout.join(', ')}`;
}

function earlier(decisions: Trace['decisions']): Html {
  return html`<details>
    <summary>${counted(decisions.length, 'earlier decision')}</summary>
    <ul>
      ${decisions.map((one) => {
        const { statement, result, at } = one;
        return html`<li>
          ${decisionLink(statement, result.toLowerCase())} <span class="soft">${timeOfDay(at)} ${groupsText(one)}</span>
        </li>`;
      })}
    </ul>
  </details>`;
}

function elsewherePart(elsewhere: Trace['elsewhere']): Html {
  const rows = elsewhere.flatMap(({ origin, decisions }) =>
    decisions.map(({ stage, result, at, statement }) => [
      origin,
      stage,
      mark(toneOf(result), result),
      timeOfDay(at),
      digestCode(statement),
    ]),
  );
  return html`<h2>In other lanes</h2>
    ${table('What their logs prove', ['Log', 'Stage', 'Result', 'When', 'Statement'], rows)}`;
}
