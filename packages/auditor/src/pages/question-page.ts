/** `/audit/ask/NAME`: a question of the command line as a form, and its answer below: what the command takes, its form takes, and what it says, the page says. */
import { CoreError } from '@sealane/core';
import { type CommandCall, type CommandResult, type CommandSpec, optionName } from '@sealane/core/command-line';
import { html } from 'hono/html';
import type { Answered } from '../answers/inquiry.js';
import { answerBody, labelOf } from './answer-body.js';
import { answerPage, layout } from './layout.js';
import type { AuditPage, BroughtField, QuestionName } from './page.js';
import type { Html } from './parts.js';

/** A question: what people call it, and the command that answers it. */
export interface AskedOnPage {
  readonly name: QuestionName;
  readonly title: string;
  readonly command: CommandSpec;
  /** Reads every entry, or every test: it is not asked before somebody says so. */
  readonly isLong?: true;
  /** A document in place of the command's arguments, which name files of who runs it: no page reads a file by the name that a reader gives. */
  readonly brings?: BroughtField & { readonly answer: (call: CommandCall, document: Uint8Array) => Promise<CommandResult> };
}

/** One thing that the form asks for; a flag is said or not. */
interface Field {
  readonly name: string;
  readonly description: string;
  readonly isFlag: boolean;
  readonly isRequired: boolean;
}

/** Longest text of a field, as routes take it. */
const MAX_TEXT = 160;

/** Where a question is asked. */
export function questionPath(name: QuestionName): string {
  return `/audit/ask/${name}`;
}

/** The page of a question. */
export function questionPage(question: AskedOnPage): AuditPage {
  const { name, title, command, isLong, brings } = question;
  const fields = fieldsOf(question);
  return {
    path: questionPath(name),
    question: name,
    ...(brings === undefined ? {} : { takes: brings }),
    show: async ({ options, io }, { query, asOf, asKnown, brought }) => {
      const given = givenIn(fields, { ...query, asOf, asKnown });
      const ask = formOf(question, fields, given);
      const isAsked = Object.keys(query).length > 0 || asOf !== undefined || asKnown !== undefined || isLong !== true;
      const isWhole = fields.every((field) => !field.isRequired || given[field.name] !== undefined);
      if (!isAsked || !isWhole || (brings !== undefined && brought === undefined)) return layout(title, ask);
      const args = brings === undefined ? (command.arguments ?? []).map((argument) => textIn(given, nameOf(argument.name))) : [];
      const call = { args, options: { ...options, ...given }, io };
      const { json } = brings === undefined || brought === undefined ? await command.run(call) : await brings.answer(call, brought);
      const answered = expectAnswer(json);
      return answerPage(title, answered, undefined, html`${ask}${answerBody(answered.answer)}`);
    },
  };
}

/** Every question answers so; its doubts and what it rests on are shown as those of all pages. */
function expectAnswer(json: object): Answered<Parameters<typeof answerBody>[0]> {
  if ('answer' in json && 'statements' in json && 'checkpoint' in json) return json as ReturnType<typeof expectAnswer>;
  throw new CoreError('INTERNAL', 'show an answer: expected answer, statements and checkpoint, got something else');
}

function fieldsOf({ command: { arguments: positional = [], options = [] }, brings }: AskedOnPage): readonly Field[] {
  return [
    ...(brings === undefined ? positional : []).map(({ name, description }) => {
      return { name: nameOf(name), description, isFlag: false, isRequired: !name.startsWith('[') };
    }),
    ...options.map(({ flags, description }) => {
      return { name: optionName(flags), description, isFlag: !flags.includes('<'), isRequired: false };
    }),
  ];
}

function textIn(given: Readonly<Record<string, string | true>>, name: string): string | undefined {
  const value = given[name];
  return value === true ? undefined : value;
}

/** `[key]` is an argument that need not be given. */
function nameOf(argument: string): string {
  return argument.replace(/[[\]]/g, '');
}

/** What was filled in, by field; anything else in the address is no part of the question. */
function givenIn(fields: readonly Field[], query: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | true>> {
  return Object.fromEntries(
    fields.flatMap(({ name, isFlag }) => {
      const text = (query[name] ?? '').trim().slice(0, MAX_TEXT);
      return text === '' ? [] : [[name, isFlag ? true : text]];
    }),
  );
}

function formOf(
  { title, command: { summary, name: words }, brings }: AskedOnPage,
  fields: readonly Field[],
  given: Readonly<Record<string, string | true>>,
): Html {
  return html`<h1>${title}</h1>
    <p>${summary.charAt(0).toUpperCase()}${summary.slice(1)}.</p>
    <form method="${brings === undefined ? 'get' : 'post'}" class="rows" aria-label="${title}">
      ${brings === undefined ? '' : documentOf(brings)} ${fields.map((field) => inputOf(field, given[field.name]))}
      <p>
        <button name="ask" value="1">Ask</button> <span class="soft">as <code>sealane ${words}</code> does</span>
      </p>
    </form>`;
}

/** What was pasted is not shown again: the answer says by its digests what it was about. */
function documentOf({ name, description, maxFormBytes }: BroughtField): Html {
  const id = `ask-${name}`;
  return html`<label for="${id}">${labelOf(name)} <span class="soft">${description}</span></label>
    <textarea id="${id}" name="${name}" rows="10" maxlength="${maxFormBytes}" spellcheck="false" required></textarea>`;
}

function inputOf({ name, description, isFlag, isRequired }: Field, value: string | true | undefined): Html {
  const id = `ask-${name}`;
  if (isFlag)
    return html`<p>
      <input type="checkbox" id="${id}" name="${name}" value="1" ${value === true ? 'checked' : ''} />
      <label for="${id}">${description}</label>
    </p>`;
  return html`<label for="${id}">${labelOf(name)} <span class="soft">${description}</span></label>
    <input
      id="${id}"
      name="${name}"
      value="${typeof value === 'string' ? value : ''}"
      maxlength="${MAX_TEXT}"
      autocomplete="off"
      ${isRequired ? 'required' : ''}
    />`;
}
