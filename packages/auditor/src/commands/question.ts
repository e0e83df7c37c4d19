/** What the commands that answer questions share: the two times, how options are read, how an answer ends. */
import { counted, oneLine } from '@sealane/core';
import type { CommandCall, CommandResult, OptionSpec } from '@sealane/core/command-line';
import type { AuditContext } from '../answers/context.js';
import type { Answered, Asked } from '../answers/inquiry.js';
import { withAudit } from '../open-audit-shell.js';

/** The two times that every question takes. */
export const ASKED: readonly OptionSpec[] = [
  { flags: '--as-of <time>', description: 'what was so at a time such as 2026-11-24T10:00:00Z (default: now)' },
  { flags: '--as-known <time>', description: 'what witnesses had seen in the log by a time (default: all of it)' },
];

/** The option that keeps a question to one stage. */
export const STAGE: OptionSpec = { flags: '--stage <name>', description: 'one stage only' };

/** An option's text; undefined when it was not given. */
export function given(call: CommandCall, name: string): string | undefined {
  const value = call.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** A positional argument; empty when it was not given. */
export function argument(call: CommandCall, at: number): string {
  const value = call.args[at];
  return typeof value === 'string' ? value : '';
}

/** Asks, and says the answer: `lines` of it for people, what is in doubt, and how much was proved. 4 when something could not be verified. */
export async function answerQuestion<T extends object>(
  call: CommandCall,
  ask: (context: AuditContext, asked: Asked) => Promise<Answered<T>>,
  lines: (answer: T) => readonly string[],
): Promise<CommandResult> {
  const asked = { asOf: given(call, 'asOf'), asKnown: given(call, 'asKnown') };
  const answer = await withAudit(call, (context) => ask(context, asked));
  const text = [
    ...lines(answer.answer),
    ...answer.answer.doubts.map(({ statement, message }) => `in doubt: ${statement}: ${message}`),
    `${counted(answer.statements.length, 'statement')}, each proved to be in the log`,
  ];
  return { exit: answer.complete ? 0 : 4, json: answer, text: text.map(oneLine).join('\n') };
}
