/** Small parts that pages are made of: tables, marks, links. */
import { html } from 'hono/html';

/** HTML with everything escaped that was not written as HTML. */
export type Html = ReturnType<typeof html>;

/** A table that scrolls in a narrow window; the first column names the row. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly (Html | string)[])[]): Html {
  if (rows.length === 0) return html`<p class="soft">${caption}: none.</p>`;
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first = '', ...others]) =>
            html`<tr>
              <th scope="row">${first}</th>
              ${others.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Names and values. */
export function factList(facts: readonly (readonly [string, Html | string])[]): Html {
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

/** What kind of news a word is. */
export type Tone = 'good' | 'bad' | 'wait' | 'none';

/** A word that stands out; its colour says nothing that the word does not. */
export function mark(tone: Tone, word: string): Html {
  return html`<span class="mark ${tone}">${word}</span>`;
}

/** How a verdict, a result or an event of a site sounds. */
export function toneOf(word: string): Tone {
  if (['pass', 'passed', 'approve', 'approved', 'installed', 'success'].includes(word.toLowerCase())) return 'good';
  if (['retired', 'rotated', 'local-role', 'summed-up'].includes(word)) return 'none';
  return word === 'pending' ? 'wait' : 'bad';
}

/** A digest. A table on a screen shows how it begins; read aloud, copied, searched for and printed it is whole. */
export function digestCode(digest: string): Html {
  return html`<code class="digest" title="${digest}">${digest}</code>`;
}

/** Words with digests and names of keys among them. */
export function withDigests(text: string): Html | string {
  const [first = '', ...others] = text.split(/\b((?:sha256:)?[0-9a-f]{64})\b/);
  return others.length === 0 ? text : html`${[first, ...others].map((part, at) => (at % 2 === 1 ? digestCode(part) : part))}`;
}

/** A statement by its digest, leading to what was signed and how to check it. */
export function statementLink(statement: string): Html {
  return html`<a href="/audit/statement/${encodeURIComponent(statement)}">${digestCode(statement)}</a>`;
}

export function releaseLink(release: string, label: Html | string = digestCode(release)): Html {
  return html`<a href="/audit/release/${encodeURIComponent(release)}">${label}</a>`;
}

export function siteLink(site: string): Html {
  return html`<a href="/audit/site/${encodeURIComponent(site)}">${site}</a>`;
}

export function decisionLink(statement: string, label: string): Html {
  return html`<a href="/audit/decision/${encodeURIComponent(statement)}">${label}</a>`;
}

/** A time as people read it: 2026-11-24 10:00:00 UTC. */
export function timeOfDay(at: string): Html {
  return html`<time class="number" datetime="${at}">${at.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')}</time>`;
}
