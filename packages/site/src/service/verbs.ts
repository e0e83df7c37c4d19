/**
 * What operators may ask of the apply service: commands of this program, each with the options that it declares, none that names a file to write, another
 * site, or another service. The socket's mode says who may ask.
 */
import { type ErrorCode, ERRORS, SealaneError, SiteError } from '@sealane/core';
import { type CommandCall, type CommandIo, type CommandSpec, optionName, type Program } from '@sealane/core/command-line';
import type { Phase } from '../apply/state.js';
import { plainJson } from '../plain-json.js';
import type { OperatorAnswer, OperatorRequest } from './wire.js';

/** Commands that go through the service where there is one. All others act where they are called. */
export const VERBS: readonly string[] = [
  'check',
  'update',
  'commit',
  'rollback',
  'hold',
  'unhold',
  'start',
  'stop',
  'status',
  'doctor',
  'gc',
  'mirror sync',
  'media import',
  'certificate install',
];

/** What technicians may do by themselves: look, hold and lift a hold, try a failed way back again, keep a release that is healthy, go back to one that was. */
const TECHNICIANS: readonly string[] = ['status', 'check', 'doctor', 'hold', 'unhold', 'commit', 'rollback'];

/** Who asks, by the socket on which: each has a group of its own. */
export type Role = 'operator' | 'technician';

/** What holds a site until an administrator has seen to it: a part that has no way back, and a journal that no longer says what ran or failed here. */
const ADMINISTRATORS: readonly ErrorCode[] = ['ONE_WAY_FAILED', 'STATE_CORRUPT'];

/** Whether a technician needs a grant for what is asked: for verbs that are not his, to mend a journal, to let a release that failed here in again. */
export function needsGrant({ verb, args, options }: OperatorRequest): boolean {
  return !TECHNICIANS.includes(verb) || (verb === 'doctor' && options['mend'] === true) || (verb === 'unhold' && args.length > 0);
}

/** Whether a verb may end what holds the site. */
export function endsHold({ verb }: OperatorRequest): boolean {
  return verb === 'unhold' || verb === 'commit';
}

/** Why a site in this phase waits for an administrator; undefined where it does not. */
export function administratorsHold(phase: Phase): ErrorCode | undefined {
  return phase.at === 'held' && ADMINISTRATORS.includes(phase.code) ? phase.code : undefined;
}

/** Verbs that look and change nothing: they wait for nobody. */
export function isOnlooker({ verb, options }: OperatorRequest): boolean {
  return verb === 'status' || (verb === 'doctor' && options['mend'] !== true);
}

/** What a person decides on the spot, and needs nothing from elsewhere. */
const URGENT: readonly string[] = ['commit', 'rollback', 'hold', 'unhold', 'start', 'stop', 'doctor'];

/** Whether a verb waits for no download: one that is under way gives way, and goes on afterwards. */
export function isUrgent({ verb }: OperatorRequest): boolean {
  return URGENT.includes(verb);
}

/**
 * The command that a verb names.
 *
 * @throws SiteError `USAGE` it is none of `VERBS`, or takes no such option or argument
 */
export async function commandOf({ verb, args, options }: OperatorRequest, commands: Program['commands']): Promise<CommandSpec> {
  const entry = VERBS.includes(verb) ? commands[verb] : undefined;
  if (entry === undefined) throw new SiteError('USAGE', `ask for ${verb}: expected one of ${VERBS.join(', ')}`);
  const { command } = await entry.load();
  const known = ['as', ...(command.options ?? []).map(({ flags }) => optionName(flags))];
  const strange = Object.keys(options).find((name) => !known.includes(name));
  if (strange !== undefined) throw new SiteError('USAGE', `ask for ${verb}: expected options that it takes, got ${strange}`);
  if (args.length > (command.arguments ?? []).length) throw new SiteError('USAGE', `ask for ${verb}: expected fewer arguments`);
  const missing = (command.options ?? []).find(({ flags, required }) => required === true && options[optionName(flags)] === undefined);
  if (missing !== undefined) throw new SiteError('USAGE', `ask for ${verb}: expected ${missing.flags}`);
  return command;
}

/** Runs a command at this site as its own process would; a failure is an answer too, and a fault of the program says only that it is one. */
export async function answerTo(
  command: CommandSpec,
  request: OperatorRequest,
  globals: CommandCall['options'],
  io: CommandIo,
): Promise<OperatorAnswer> {
  try {
    const { exit, json, text, hint } = await command.run({ args: request.args, options: { ...request.options, ...globals }, io });
    return { v: 1, exit, json: plainJson(json), text, hint: hint ?? null };
  } catch (error) {
    return { v: 1, error: failureOf(error, io) };
  }
}

/** A failure as it goes to an operator. */
export function failureOf(
  error: unknown,
  io: Pick<CommandIo, 'talk'>,
): { readonly code: ErrorCode; readonly message: string; readonly hint: string | null } {
  if (error instanceof SealaneError) return { code: error.code, message: error.message, hint: error.hint ?? null };
  io.talk(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return { code: 'INTERNAL', message: 'run a command at this site: a fault of the program', hint: ERRORS.INTERNAL.hint };
}
