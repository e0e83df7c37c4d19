/** `/audit/`: search, the log’s health, and what is there. */
import { base64, counted, parseCheckpoint, SealaneError } from '@sealane/core';
import { isAuthorsWord, isRegistrarsWord, quorumOf, secondsToTime, verifyTrustOf } from '@sealane/trust';
import { html } from 'hono/html';
import type { AuditContext } from '../answers/context.js';
import { inquire } from '../answers/inquiry.js';
import { find, type Found, type NamedRelease, type NamedSite, releasesIn, sitesIn } from './find.js';
import { answerPage, layout } from './layout.js';
import { type AuditPage, inLedger } from './page.js';
import { type AskedOnPage, questionPath } from './question-page.js';
import { decisionLink, digestCode, factList, type Html, mark, releaseLink, siteLink, table, timeOfDay, toneOf } from './parts.js';

/** The latest of each list: the search finds the others. */
const MAX_LISTED = 20;
/** Longest text that is searched for, as routes take it. */
const MAX_TEXT = 160;

/** The state of the log. `problem`: why its last checkpoint does not count. */
export interface LogHealth {
  readonly origin: string;
  readonly size: number;
  readonly witnessed: { readonly size: number; readonly root: string; readonly at: string; readonly quorum: number } | null;
  readonly problem: string | null;
}

/** The latest of a list, and how many there are by the ledger's index. */
interface Latest<T> {
  readonly latest: readonly T[];
  readonly count: number;
}

interface Listed {
  readonly releases: Latest<NamedRelease>;
  readonly sites: Latest<NamedSite>;
}

/** What was found where something was searched for, else what there is; neither while nothing can be proved. */
interface HomeParts {
  readonly listed?: Listed;
  readonly found?: Found & { readonly text: string };
  /** Those that the reader may ask. */
  readonly questions?: readonly AskedOnPage[];
}

/** The first page, with links to these questions. */
export const homePage = (asked: readonly AskedOnPage[]): AuditPage => ({
  path: '/audit/',
  question: 'snapshot',
  show: inLedger(async (context, { query, may }) => {
    const text = (query['q'] ?? '').trim().slice(0, MAX_TEXT);
    const title = text === '' ? 'Ledger' : `Found for ${text}`;
    const health = await healthOf(context);
    // nothing can be proved yet: that is what there is to say
    if (health.witnessed === null) return layout(title, homeBody(health, {}));
    const questions = asked.filter(({ name }) => may(name));
    const wish = { text, hardware: query['hardware'] !== undefined };
    const answered = await inquire(context, title, {}, async (inquiry): Promise<HomeParts> => {
      if (text !== '') return { found: { text, ...(await find(inquiry, wish, may)) }, questions };
      const [releases, sites] = [
        may('trace') ? (await context.ledger.releases()).filter((row) => isAuthorsWord(context.policies, row)) : [],
        may('at') ? lastOfEach((await context.ledger.sites()).filter((row) => isRegistrarsWord(context.policies, row))) : [],
      ];
      const listed = {
        releases: { latest: [...(await releasesIn(inquiry, releases.slice(-MAX_LISTED)))].reverse(), count: releases.length },
        sites: { latest: await sitesIn(inquiry, sites.slice(-MAX_LISTED)), count: sites.length },
      };
      return { listed, questions };
    });
    return answerPage(title, answered, undefined, homeBody(health, answered.answer));
  }),
});

/** The newest record of each site counts. */
function lastOfEach<T extends { readonly site: string }>(records: readonly T[]): readonly T[] {
  return [...new Map(records.map((record) => [record.site, record])).values()];
}

async function healthOf({ ledger, policies }: AuditContext): Promise<LogHealth> {
  const { origin } = ledger;
  const [size, note] = [await ledger.size(), await ledger.latestCosigned()];
  const trust = policies[0] === undefined ? undefined : verifyTrustOf(policies[0]);
  const log = trust?.logs.find((one) => one.origin === origin);
  if (note === null || trust === undefined || log === undefined)
    return { origin, size, witnessed: null, problem: 'no witness has seen the log' };
  try {
    const { checkpoint, highestSeconds } = quorumOf(note, log, trust);
    const witnessed = { size: checkpoint.size, root: base64(checkpoint.root), at: secondsToTime(highestSeconds), quorum: trust.quorum };
    return { origin, size, witnessed, problem: null };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return { origin, size, witnessed: null, problem: `${error.message} (size ${parseCheckpoint(note).size})` };
  }
}

/** The page’s own part. */
export function homeBody(health: LogHealth, { listed, found, questions = [] }: HomeParts): Html {
  return html`<h1>${found === undefined ? 'Ledger' : `Found for ${found.text}`}</h1>
    ${found === undefined ? '' : foundPart(found)}
    <h2>The log</h2>
    ${healthPart(health)} ${listed === undefined ? '' : listedPart(listed)} ${questions.length === 0 ? '' : questionsPart(questions)}`;
}

function questionsPart(questions: readonly AskedOnPage[]): Html {
  return html`<h2>Questions</h2>
    <ul class="questions">
      ${questions.map(({ name, title }) => html`<li><a href="${questionPath(name)}">${title}</a></li>`)}
    </ul>`;
}

function listedPart({ releases, sites }: Listed): Html {
  return html`<h2>Releases</h2>
    ${releaseTable('The latest first', releases.latest)} ${moreText(releases)}
    <h2>Sites</h2>
    ${siteTable('Enrolled, the latest first', sites.latest)} ${moreText(sites)}`;
}

function healthPart({ origin, size, witnessed, problem }: LogHealth): Html {
  if (witnessed === null)
    return factList([
      ['Origin', origin],
      ['Entries', String(size)],
      ['State', html`${mark('bad', 'not witnessed')} ${problem ?? ''}`],
    ]);
  const waiting = size - witnessed.size;
  return factList([
    ['Origin', origin],
    ['State', waiting === 0 ? mark('good', 'witnessed') : html`${mark('wait', 'waiting')} ${waiting} not seen by witnesses yet`],
    [
      'Entries',
      `${size}, ${waiting === 0 ? 'all' : witnessed.size} of them in a checkpoint with at least ${counted(witnessed.quorum, 'cosignature')}`,
    ],
    ['Last seen', timeOfDay(witnessed.at)],
    ['Root', html`<code>${witnessed.root}</code>`],
  ]);
}

function foundPart({ text, releases, decisions, sites, unit, approvals, mayBeHardware }: Found & { readonly text: string }): Html {
  const isEmpty = unit === null && [releases, decisions, sites, approvals].every((list) => list.length === 0);
  if (isEmpty) return html`<p>Nothing in the ledger is called <code>${text}</code>, or you may not ask about it.</p>`;
  return html`${
    releases.length === 0
      ? ''
      : html`<h2>Releases found</h2>
          ${releaseTable('By digest, name or version', releases)}`
  }
  ${decisions.length === 0 ? '' : decisionPart(decisions)}
  ${
    sites.length === 0
      ? ''
      : html`<h2>Site found</h2>
          ${siteTable('By name', sites)}`
  }
  ${unit === null ? '' : unitPart(unit)} ${approvals.length === 0 ? '' : personPart(text, approvals)}
  ${mayBeHardware ? html`<p><a href="/audit/?hardware=too&amp;q=${encodeURIComponent(text)}">Look for hardware of this name too</a>, in every inventory</p>` : ''}`;
}

function decisionPart(decisions: Found['decisions']): Html {
  const rows = decisions.map(({ statement, stage, result }) => [decisionLink(statement, statement), stage, mark(toneOf(result), result)]);
  return html`<h2>Decision found</h2>
    ${table('By digest', ['Decision', 'Stage', 'Result'], rows)}`;
}

function unitPart({ releases, sites }: NonNullable<Found['unit']>): Html {
  const tested = releases.map(({ release, name, version }) => [releaseLink(release, name === null ? release : `${name}@${version ?? ''}`)]);
  const there = sites.map(({ site, since, until }) => [siteLink(site), timeOfDay(since), until === null ? 'still' : timeOfDay(until)]);
  return html`<h2>Hardware found</h2>
    ${table('Releases tested on it', ['Release'], tested)} ${table('Sites that have or had it', ['Site', 'Since', 'Until'], there)}`;
}

function personPart(person: string, approvals: Found['approvals']): Html {
  const rows = approvals.map(({ release, stage, verdict, at }) => {
    return [releaseLink(release), stage, mark(toneOf(verdict), verdict), timeOfDay(at)];
  });
  return html`<h2>Person found</h2>
    ${table(`Verdicts of ${person}`, ['Release', 'Stage', 'Verdict', 'When'], rows)}`;
}

function releaseTable(caption: string, releases: Found['releases']): Html {
  const rows = releases.map(({ release, name, version }) => {
    return [releaseLink(release, `${name}@${version}`), digestCode(release)];
  });
  return table(caption, ['Release', 'Digest'], rows);
}

function siteTable(caption: string, sites: Found['sites']): Html {
  const rows = sites.map(({ site, stage }) => [siteLink(site), stage]);
  return table(caption, ['Site', 'Stage'], rows);
}

/** How many are not shown is what the index says: nothing proves a list complete but `audit population`. */
function moreText({ latest, count }: Latest<unknown>): Html | string {
  if (count <= latest.length) return '';
  return html`<p>
    ${count - latest.length} more by the ledger’s index: find them by name. <code>sealane audit population</code> proves that none is left
    out.
  </p>`;
}
