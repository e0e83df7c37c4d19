/** How many sites run a release over time: a drawing in steps, and the same as a table. */
import { counted } from '@sealane/core';
import { html } from 'hono/html';
import type { AdoptionStep } from '../answers/adoption.js';
import { type Html, mark, siteLink, table, timeOfDay } from './parts.js';

/** In units of the drawing, which is scaled to the window. */
const WIDTH = 960;
const LEFT = 44;
const RIGHT = 12;
const TOP = 14;
const HEIGHT = 150;
const AXIS = 26;
/** Lines across at most: numbers between them are read off well enough. */
const MAX_LINES = 5;

/** The part of the page; `until` is where the drawing ends. */
export function adoptionPart(steps: readonly AdoptionStep[], until: string): Html {
  const last = steps.at(-1);
  if (last === undefined) return html`<p class="soft">No site ran it yet.</p>`;
  const most = Math.max(...steps.map(({ sites }) => sites));
  const summary = `${counted(last.sites, 'site')} ran it at the end, ${most} at most. The table below has each change.`;
  return html`<p>
      ${counted(last.sites, 'site')} ${last.sites === 1 ? 'runs' : 'run'} it now${most === last.sites ? '' : html`, ${most} did at most`}.
    </p>
    <div class="scroll" role="region" aria-label="Sites that ran it over time" tabindex="0">
      ${drawing(steps, { until, most, summary })}
    </div>
    <details>
      <summary>As a table</summary>
      ${table(
        'Each site that began or ceased to run it',
        ['When', 'Site', 'Change', 'Sites that ran it then'],
        steps.map(({ at, site, change, sites }) => [
          timeOfDay(at),
          siteLink(site),
          change === 'began' ? mark('good', 'began') : mark('none', 'ended'),
          html`<span class="number">${sites}</span>`,
        ]),
      )}
    </details>`;
}

function drawing(
  steps: readonly AdoptionStep[],
  { until, most, summary }: { readonly until: string; readonly most: number; readonly summary: string },
): Html {
  const times = [...steps.map(({ at }) => at), until].map((at) => Date.parse(at));
  const [first, end] = [Math.min(...times), Math.max(...times)];
  const bottom = TOP + HEIGHT;
  const x = (ms: number): number => round(LEFT + ((ms - first) / Math.max(end - first, 1)) * (WIDTH - LEFT - RIGHT));
  const y = (sites: number): number => round(bottom - (sites / Math.max(most, 1)) * HEIGHT);
  const walked = steps.map(({ at, sites }) => `H${x(Date.parse(at))}V${y(sites)}`).join('');
  const line = `M${LEFT} ${bottom}${walked}H${WIDTH - RIGHT}`;
  const every = roundStep(most / MAX_LINES);
  const marks = Array.from({ length: Math.floor(most / every) + 1 }, (_, index) => index * every);
  return html`<svg viewBox="0 0 ${WIDTH} ${bottom + AXIS}" role="img" aria-labelledby="adoption-title adoption-text">
    <title id="adoption-title">Sites that ran it over time</title>
    <desc id="adoption-text">${summary}</desc>
    ${marks.map(
      (sites) =>
        html`<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(sites)}" y2="${y(sites)}" />
          <text class="soft" x="${LEFT - 8}" y="${y(sites) + 4}" text-anchor="end">${sites}</text>`,
    )}
    <path class="area" d="${line}V${bottom}Z" />
    <path class="step" d="${line}" />
    <text class="soft" x="${LEFT}" y="${bottom + 19}">${words(first)}</text>
    <text class="soft" x="${WIDTH - RIGHT}" y="${bottom + 19}" text-anchor="end">${words(end)}</text>
  </svg>`;
}

/** The smallest of 1, 2, 5, 10, 20 … that is not below it. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}

function words(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
