/** What every page has: a head, a way to search, its own part, and on what that rests. */
import { html, raw } from 'hono/html';
import { parseCheckpoint, printable } from '@sealane/core';
import type { Doubt } from '../answers/answer.js';
import type { Answered, Asked } from '../answers/inquiry.js';
import { type Html, statementLink, table } from './parts.js';
import { STYLE } from './style.js';

/** A whole page. What would turn the direction of text around is spelt out: a signed reason must not read as another one. */
export function layout(title: string, body: Html): string {
  const page = htmlText(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width,initial-scale=1" />
          <title>${title} – Sealane audit</title>
          ${raw(`<style>${STYLE}</style>`)}
        </head>
        <body>
          <a class="skip" href="#content">Skip to the content</a>
          <header>
            <strong><a href="/audit/">Sealane audit</a></strong>
            <form action="/audit/" method="get" role="search" aria-label="Find">
              <label class="hidden" for="find">Digest, NAME@VERSION, site, serial or person</label>
              <input id="find" name="q" size="34" maxlength="160" placeholder="Digest, NAME@VERSION, site …" autocomplete="off" />
              <button>Find</button>
            </form>
          </header>
          <main id="content">${body}</main>
          <footer>
            <p>
              Each statement was verified on the server when this page was asked for: to whoever reads it that is the server’s word.
              <code>sealane audit verify</code> checks the whole log, <code>sealane audit export</code> packs what others can check without
              Sealane.
            </p>
          </footer>
        </body>
      </html> `,
  );
  return printable(page);
}

/** A page that shows an answer: what could not be seen comes first, what it rests on last. Without `asked` it is of now. */
export function answerPage<T extends object>(
  title: string,
  { answer, statements, checkpoint }: Answered<T>,
  asked: Asked | undefined,
  body: Html,
): string {
  return layout(
    title,
    html`${doubtsPart(answer.doubts)}${body}${asked === undefined ? '' : timesPart(asked)}${restsOn(statements, checkpoint)}`,
  );
}

/** The page of an address that has no answer. `message` and `hint` are those of the command line. */
export function problemPage(code: string, message: string, hint: string): string {
  return layout(
    'No answer',
    html`<h1>No answer</h1>
      <p>${message}</p>
      <p>${hint}</p>
      <p class="soft">Code <code>${code}</code></p>`,
  );
}

/** The text of HTML in which nothing is awaited. */
export function htmlText(page: Html): string {
  if (page instanceof Promise) throw new TypeError('write a page: expected HTML that is there already, got a promise');
  return page.toString();
}

/** What an answer could not rest on. */
function doubtsPart(doubts: readonly Doubt[]): Html | string {
  if (doubts.length === 0) return '';
  const rows = doubts.map(({ statement, logIndex, code, message }) => [
    html`${logIndex}`,
    statementLink(statement),
    html`${code}: ${message}`,
  ]);
  return html`<section aria-labelledby="doubts">
    <h2 id="doubts"><span class="mark bad">not complete</span> Statements that could not be verified</h2>
    ${table('They count for nothing below', ['Entry', 'Statement', 'Why'], rows)}
  </section>`;
}

/** The two times of the question, to ask it of another. */
function timesPart({ asOf = '', asKnown = '' }: Asked): Html {
  const example = '2026-11-24T10:00:00Z';
  return html`<section class="times" aria-labelledby="times">
    <h2 id="times">At another time</h2>
    <form method="get">
      <label for="as-of">What was so at</label>
      <input id="as-of" name="asOf" value="${asOf}" placeholder="${example}" size="22" maxlength="32" autocomplete="off" />
      <label for="as-known">as witnesses had seen it by</label>
      <input id="as-known" name="asKnown" value="${asKnown}" placeholder="${example}" size="22" maxlength="32" autocomplete="off" />
      <button>Show</button>
    </form>
  </section>`;
}

function restsOn(statements: Answered<object>['statements'], checkpoint: string | null): Html {
  const proved = checkpoint === null ? '' : html`, each proved to be in the log of ${parseCheckpoint(checkpoint).size} entries`;
  return html`<section aria-labelledby="rests">
    <h2 id="rests">What this rests on</h2>
    <p>${statements.length} ${statements.length === 1 ? 'statement' : 'statements'}${proved}.</p>
    <details>
      <summary>Statements and checkpoint</summary>
      ${table(
        'By place in the log',
        ['Entry', 'Statement'],
        statements.map(({ digest, logIndex }) => [html`${logIndex}`, statementLink(digest)]),
      )}
      ${checkpoint === null ? '' : html`<pre>${checkpoint}</pre>`}
    </details>
  </section>`;
}
