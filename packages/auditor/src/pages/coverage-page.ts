/** `/audit/coverage/R`: which hardware at the sites the tests of a release cover, kind by kind and site by site. */
import { counted } from '@sealane/core';
import { html } from 'hono/html';
import { coverage, type Coverage } from '../answers/coverage.js';
import { answerPage } from './layout.js';
import { type AuditPage, inLedger } from './page.js';
import { factList, type Html, mark, releaseLink, siteLink, statementLink, table, timeOfDay } from './parts.js';

/** Columns of the matrix: more do not fit on a screen. Sites that are not covered come first. */
const MAX_SITES = 40;

export const coveragePage: AuditPage = {
  path: '/audit/coverage/:subject',
  question: 'coverage',
  show: inLedger(async (context, { subject, query, asOf, asKnown }) => {
    const { stage = '', site = '' } = query;
    const where = { stage: stage === '' ? undefined : stage, site: site === '' ? undefined : site };
    const answered = await coverage(context, subject, where, { asOf, asKnown });
    const { name, version } = answered.answer;
    const stages = context.policies.map((policy) => policy.stage);
    return answerPage(`Hardware coverage of ${name}@${version}`, answered, { asOf, asKnown }, coverageBody(answered.answer, stages));
  }),
};

/** The page’s own part; `stages` are those that it can be asked of. */
export function coverageBody(answer: Coverage, stages: readonly string[]): Html {
  const { release, name, version, stage, classes, covered, uncovered, unknown, problems, reports } = answer;
  const all = covered.length + uncovered.length + unknown.length;
  const state = uncovered.length + unknown.length === 0 ? mark('good', 'all covered') : mark('bad', 'not all covered');
  return html`<h1>Hardware coverage of ${name}@${version}</h1>
    ${factList([
      ['Release', releaseLink(release, `${name}@${version}`)],
      ['Stage', stage],
      ['Sites', html`${covered.length} of ${all} covered ${all === 0 ? '' : state}`],
    ])}
    <nav aria-label="Stage">
      <p>
        Another stage: ${stages.filter((one) => one !== stage).map((one) => html`<a href="?stage=${encodeURIComponent(one)}">${one}</a> `)}
      </p>
    </nav>
    <h2>Kinds of hardware by site</h2>
    ${matrix(answer)}
    <h2>Units that covered each kind</h2>
    ${table(
      'Tested units',
      ['Kind', 'Role', 'Units', 'Runs', 'What is missing'],
      classes.map(({ role, label, units, runs, why }) => {
        return [
          label,
          role,
          units.map(unitText).join(', '),
          html`${runs.map((run) => html`${statementLink(run)} `)}`,
          units.length > 0 ? '' : why,
        ];
      }),
    )}
    <h2>Sites that are not covered</h2>
    ${table(
      'Why not',
      ['Site', 'State', 'Why'],
      [
        ...uncovered.map(({ site, why }) => [siteLink(site), mark('bad', 'uncovered'), why]),
        ...unknown.map(({ site, why }) => [siteLink(site), mark('wait', 'not known'), why]),
      ],
    )}
    <h2>Last inventories</h2>
    ${table(
      'When each site told last what hardware it has',
      ['Site', 'When', 'Receipt'],
      reports.map(({ site, at, receipt }) => [siteLink(site), timeOfDay(at), statementLink(receipt)]),
    )}
    ${
      problems.length === 0
        ? ''
        : html`<h2>Runs that do not count</h2>
            <ul>
              ${problems.map((why) => html`<li>${why}</li>`)}
            </ul>`
    }`;
}

function matrix({ classes, covered, uncovered, unknown }: Coverage): Html {
  const sites = [...uncovered.map(({ site }) => site), ...unknown.map(({ site }) => site), ...covered];
  const shown = sites.slice(0, MAX_SITES);
  if (classes.length === 0) return html`<p class="soft">No site has reported hardware.</p>`;
  const caption = 'Each kind of machine or device, and the sites that have it';
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
      <table class="matrix">
        <caption>
          ${caption}
        </caption>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            ${shown.map((site) => html`<th scope="col">${siteLink(site)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${classes.map(
            (one) =>
              html`<tr>
                <th scope="row">
                  <span class="soft">${one.role}</span>
                  ${one.label}${one.units.length > 0 || one.why === '' ? '' : html`<br /><span class="soft">${one.why}</span>`}
                </th>
                ${shown.map((site) => cell(one, site))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${sites.length > shown.length ? html`<p>${counted(sites.length - shown.length, 'more site')} not shown here.</p>` : ''}`;
}

function cell({ sites, units }: Coverage['classes'][number], site: string): Html {
  if (!sites.includes(site)) return html`<td class="soft"><span aria-hidden="true">·</span><span class="hidden">not there</span></td>`;
  return units.length > 0
    ? html`<td class="good"><span aria-hidden="true">✓</span><span class="hidden">covered</span></td>`
    : html`<td class="bad"><span aria-hidden="true">✗</span><span class="hidden">not covered</span></td>`;
}

/** A unit is named by a list of texts: its model and its serial. */
function unitText(unit: string): string {
  return unit.replace(/^\["|"\]$/g, '').replaceAll('","', ' ');
}
