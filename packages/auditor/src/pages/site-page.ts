/** `/audit/site/S`: what a site ran and told, on a time line and as a table. */
import { counted, type Digest } from '@sealane/core';
import { html } from 'hono/html';
import { type AtSite, atSite } from '../answers/at-site.js';
import { startEvidence } from '../answers/answer.js';
import type { AuditContext } from '../answers/context.js';
import { type Answered, inquire, timeOf } from '../answers/inquiry.js';
import { releaseNames } from '../answers/release-names.js';
import { runsOf } from '../answers/site-history.js';
import { answerPage } from './layout.js';
import { type AuditPage, inLedger } from './page.js';
import { digestCode, factList, type Html, mark, releaseLink, statementLink, table, timeOfDay, toneOf } from './parts.js';
import { questionLinks } from './questions.js';
import { restingOnBoth } from './resting-on-both.js';
import { timeLine } from './time-line.js';

/** Runs and receipts on the drawing, the latest: the table has all. */
const MAX_DRAWN = 24;

export const sitePage: AuditPage = {
  path: '/audit/site/:subject',
  question: 'at',
  show: inLedger(async (context, { subject, asOf, asKnown, may }) => {
    const answered = await atSite(context, subject, { asOf, asKnown });
    const named = answered.answer.history.flatMap(({ release }) => release ?? []);
    const names = await namesOf(context, named, asKnown);
    const now = asOf ?? (await timeOf({ context, evidence: startEvidence(), asOf: undefined }));
    return answerPage(
      `Site ${subject}`,
      restingOnBoth(answered, names),
      { asOf, asKnown },
      siteBody(answered.answer, names.answer.names, now, may('parity') ? questionLinks(['parity'], { site: subject }) : undefined),
    );
  }),
};

/** Releases by the names that their authors signed: the ledger's index only says where. */
export async function namesOf(
  context: AuditContext,
  releases: readonly Digest[],
  asKnown: string | undefined,
): Promise<Answered<{ readonly names: ReadonlyMap<Digest, string> }>> {
  return await inquire(context, 'names', { asKnown }, async (inquiry) => {
    const nameOf = await releaseNames(inquiry, releases);
    const named = [...new Set(releases)].flatMap((release): (readonly [Digest, string])[] => {
      const { name, version } = nameOf(release);
      return name === null || version === null ? [] : [[release, `${name}@${version}`]];
    });
    return { names: new Map(named) };
  });
}

/** The page’s own part; `names` are those of releases, `now` is where the time line ends, `more` leads to other questions about it. */
export function siteBody(answer: AtSite, names: ReadonlyMap<Digest, string>, now: string, more?: Html): Html {
  const { site, stage, release, since, history, summedUp, missing } = answer;
  const nameOf = (one: Digest): string => names.get(one) ?? one;
  return html`<h1>Site ${site}</h1>
    ${factList([
      ['Stage', stage],
      ['Runs', release === null ? mark('none', 'nothing') : html`${releaseLink(release, nameOf(release))} ${digestCode(release)}`],
      ['Since', since === null ? '–' : timeOfDay(since)],
      ['Receipts', receiptsText(answer)],
      ...(more === undefined ? [] : [['More', more] as const]),
    ])}
    <h2>History</h2>
    ${history.length === 0 ? '' : drawing(answer, nameOf, now)}
    ${table(
      'What the site told, by number',
      ['Receipt', 'When', 'Event', 'Release', 'Why', 'Statement'],
      history.map(({ seq, at, event, release: one, reason, statement }) => [
        html`${seq}`,
        timeOfDay(at),
        mark(toneOf(event), event),
        one === null ? '' : releaseLink(one, nameOf(one)),
        reason ?? '',
        statementLink(statement),
      ]),
    )}
    ${summedUp.length === 0 ? '' : summedUpPart(summedUp, nameOf)}
    ${missing.length === 0 ? '' : html`<p>${mark('bad', 'missing')} Nobody brought the receipts ${missing.join(', ')}.</p>`}`;
}

function receiptsText({ history, missing }: AtSite): Html {
  return html`${history.length} ${missing.length === 0 ? mark('good', 'none missing') : mark('bad', `${missing.length} missing`)}`;
}

/** Refusals that a site which was cut off told of in one receipt. */
function summedUpPart(summedUp: AtSite['summedUp'], nameOf: (release: Digest) => string): Html {
  const rows = summedUp.map(({ runs, since, until, count, refused, others, statement }) => [
    runs.map(({ from, to }) => `${from}–${to}`).join(', '),
    html`${timeOfDay(since)} to ${timeOfDay(until)}`,
    html`${counted(count, 'refusal')}:
    ${refused.map((one) => html`${one.count} times ${one.reason}${one.release === null ? '' : html` of ${nameOf(one.release)}`}<br />`)}
    ${others === 0 ? '' : counted(others, 'other')}`,
    statementLink(statement),
  ]);
  return html`<h2>Summed up</h2>
    ${table('Older refusals while it was cut off', ['Receipts', 'When', 'What', 'Statement'], rows)}`;
}

function drawing({ site, history }: AtSite, nameOf: (release: Digest) => string, now: string): Html {
  const runs = runsOf(history.map((receipt) => ({ ...receipt, statementDigest: receipt.statement, index: receipt.seq })));
  const bars = runs.slice(-MAX_DRAWN).map(({ release, since, until }) => {
    return { label: release === null ? 'nothing' : nameOf(release), since, until };
  });
  const moments = history.slice(-MAX_DRAWN).map(({ seq, event, at, release }) => {
    const label = `${seq}: ${event}${release === null ? '' : ` ${nameOf(release)}`}, ${at}`;
    return { label, at, isRefusal: toneOf(event) === 'bad' };
  });
  const told = bars.map(({ label, since, until }) => `${label} from ${since} ${until === null ? 'on' : `to ${until}`}`);
  const summary = `${site} ran: ${told.join('; ') || 'nothing'}. The table below has each receipt.`;
  const latest = [now, ...history.map(({ at }) => at)].sort().at(-1) ?? now;
  return html`<p class="soft">
      ${counted(bars.length, 'release')} one below the other, each from when it was installed; circles are receipts, red where the site
      refused or went back.
    </p>
    <div class="scroll" role="region" aria-label="Time line" tabindex="0">${timeLine(bars, moments, latest, summary)}</div>`;
}
