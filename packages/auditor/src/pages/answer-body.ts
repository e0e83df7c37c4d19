/** Any answer as a page: its fields as a list, its lists as tables, each value as what it is. An answer is shown whole, so a page leaves out nothing that the command says. */
import { isDigest, type JsonValue } from '@sealane/core';
import { html } from 'hono/html';
import {
  digestCode,
  factList,
  type Html,
  mark,
  releaseLink,
  siteLink,
  statementLink,
  table,
  timeOfDay,
  toneOf,
  withDigests,
} from './parts.js';

type JsonFields = Readonly<Record<string, JsonValue>>;

/** Fields that say how something went. */
const VERDICTS = ['verdict', 'result', 'event'];
/** Fields whose digest is that of a statement. */
const STATEMENT = /^(?:statement|decision|approval|receipt|revocation|exception|grant|review|order)s?$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** An answer, but for what it says of itself: its doubts, which every page shows above. */
export function answerBody(answer: JsonFields): Html {
  const { doubts: _doubts, ...said } = answer;
  return fieldsOf(said, { heading: (text) => html`<h2>${text}</h2>`, caption: labelOf });
}

/** Where a part stands: how its heading is written, and what its tables are called, each name once on a page. */
interface Place {
  readonly heading: (text: string) => Html;
  readonly caption: (name: string) => string;
}

/** Inside of a part. */
function within({ caption }: Place, name: string, number?: number): Place {
  const part = number === undefined ? caption(name) : `${caption(name)} ${number}`;
  return { heading: (text) => html`<h3>${text}</h3>`, caption: (inner) => `${part}: ${labelOf(inner)}` };
}

/** Single values first, then each list and part under a heading of its own. */
function fieldsOf(fields: JsonFields, place: Place): Html {
  const all = Object.entries(fields);
  const single = all.filter(([, value]) => !isPart(value));
  return html`${single.length === 0 ? '' : factList(single.map(([name, value]) => [labelOf(name), valueOf(name, value)]))}
  ${all.filter(([, value]) => isPart(value)).map(([name, value]) => partOf(name, value, place))}`;
}

/** Whether a value needs room of its own. */
function isPart(value: JsonValue): boolean {
  return isFields(value) || (Array.isArray(value) && value.some(isFields));
}

function partOf(name: string, value: JsonValue, place: Place): Html {
  const body = Array.isArray(value)
    ? listOf(name, value.filter(isFields), place)
    : isFields(value)
      ? fieldsOf(value, within(place, name))
      : '';
  return html`<div class="part">${place.heading(labelOf(name))}${body}</div>`;
}

/** A table with a column for every field that any of them has; of those that have lists themselves, one after the other. */
function listOf(name: string, all: readonly JsonFields[], place: Place): Html {
  if (all.some((one) => Object.values(one).some(isPart)))
    return html`<ol class="cards">
      ${all.map((one, at) => html`<li>${fieldsOf(one, within(place, name, at + 1))}</li>`)}
    </ol>`;
  const columns = [...new Set(all.flatMap((row) => Object.keys(row)))];
  return table(
    place.caption(name),
    columns.map(labelOf),
    all.map((row) => columns.map((column) => valueOf(column, row[column] ?? null))),
  );
}

/** A value in a line or a cell. */
function valueOf(name: string, value: JsonValue): Html | string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return html`<span class="number">${String(value)}</span>`;
  if (typeof value === 'string') return textOf(name, value);
  const parts = Array.isArray(value)
    ? (value as readonly JsonValue[]).map((one) => valueOf(name, one))
    : Object.entries(value as JsonFields).map(([key, one]) => html`${labelOf(key)}: ${valueOf(key, one)}`);
  const [only] = parts;
  if (only === undefined) return 'none';
  return parts.length === 1
    ? only
    : html`<ul>
        ${parts.map((part) => html`<li>${part}</li>`)}
      </ul>`;
}

function textOf(name: string, text: string): Html | string {
  if (name === 'site' || name === 'sites') return siteLink(text);
  if (isDigest(text)) {
    if (/^releases?$/.test(name)) return releaseLink(text);
    return STATEMENT.test(name) ? statementLink(text) : digestCode(text);
  }
  if (VERDICTS.includes(name)) return mark(toneOf(text), text);
  if (text.startsWith('sealane ')) return html`<code>${text}</code>`;
  return TIME.test(text) ? timeOfDay(text) : withDigests(text);
}

function isFields(value: JsonValue): value is JsonFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `issuedAt` as people write it; a type of statement as it is. */
export function labelOf(name: string): string {
  if (name.includes(':')) return name;
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
