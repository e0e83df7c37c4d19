/** What ran at a site as a drawing: a bar for each release from when it was installed, a mark for each thing that the site told. */
import { html } from 'hono/html';
import type { Html } from './parts.js';

/** A release that ran; times as in RFC 3339. */
export interface Bar {
  readonly label: string;
  readonly since: string;
  readonly until: string | null;
}

/** Something that happened at a moment. */
export interface Moment {
  readonly label: string;
  readonly at: string;
  readonly isRefusal: boolean;
}

/** In units of the drawing, which is scaled to the window. */
const WIDTH = 960;
const LEFT = 12;
const ROW = 40;
const MARKS = 26;
const AXIS = 28;
/** A bar shorter than this could not be seen. */
const MIN_BAR = 4;
/** Letters that fit to the right of a bar’s beginning, about. */
const LETTER = 7;

/** The drawing, one row for each run, up to `until`; whoever cannot see it has the words of `summary`, and the table that follows it. */
export function timeLine(bars: readonly Bar[], moments: readonly Moment[], until: string, summary: string): Html {
  const times = [...bars.map(({ since }) => since), ...moments.map(({ at }) => at), until].map((at) => Date.parse(at));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (at: string): number => round(LEFT + ((Date.parse(at) - first) / Math.max(last - first, 1)) * (WIDTH - 2 * LEFT));
  const bottom = MARKS + bars.length * ROW + 6;
  return html`<svg viewBox="0 0 ${WIDTH} ${bottom + AXIS}" role="img" aria-labelledby="line-title line-text">
    <title id="line-title">Time line</title>
    <desc id="line-text">${summary}</desc>
    ${moments.map(
      ({ label, at, isRefusal }) =>
        html`<g>
          <title>${label}</title>
          <line class="axis" x1="${x(at)}" x2="${x(at)}" y1="14" y2="${bottom}" />
          <circle class="event ${isRefusal ? 'refusal' : ''}" cx="${x(at)}" cy="14" r="5" />
        </g>`,
    )}
    ${bars.map((bar, row) => barOf(bar, { top: MARKS + row * ROW, from: x(bar.since), to: x(bar.until ?? until) }))}
    <line class="axis" x1="${LEFT}" x2="${WIDTH - LEFT}" y1="${bottom}" y2="${bottom}" />
    <text class="soft" x="${LEFT}" y="${bottom + 18}">${words(first)}</text>
    <text class="soft" x="${WIDTH - LEFT}" y="${bottom + 18}" text-anchor="end">${words(last)}</text>
  </svg> `;
}

function barOf({ label }: Bar, { top, from, to }: { readonly top: number; readonly from: number; readonly to: number }): Html {
  // near the right edge the name grows to the left
  const anchor = from + label.length * LETTER > WIDTH - LEFT ? 'end' : 'start';
  return html`<g>
    <text x="${anchor === 'end' ? WIDTH - LEFT : from}" y="${top + 14}" text-anchor="${anchor}">${label}</text>
    <rect class="run" x="${from}" y="${top + 20}" width="${Math.max(round(to - from), MIN_BAR)}" height="12" rx="3" />
  </g>`;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}

function words(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
