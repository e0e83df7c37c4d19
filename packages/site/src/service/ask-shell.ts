/** A command that asks the apply service instead of acting here. */
import path from 'node:path';
import { SiteError } from '@sealane/core';
import type { CommandCall, CommandResult } from '@sealane/core/command-line';
import { isNodeError } from '../disk.js';
import { askLine } from './line-socket-shell.js';
import { MAX_APPLY_BYTES, type OperatorRequest, parseOperatorAnswer } from './wire.js';

/**
 * Asks the service that `--service` names to carry out the command `verb`.
 *
 * @throws SiteError `UPDATER_UNREACHABLE`; with the code of the command's own failure; `INTERRUPTED`
 */
export async function ask(verb: string, call: CommandCall): Promise<CommandResult> {
  const socket = path.resolve(call.io.cwd, String(call.options['service']));
  const line = await answerFrom(socket, requestOf(verb, call), call.io.signal);
  if (line === undefined) throw unreachable(socket, 'none');
  const { exit, json, text, hint } = parseOperatorAnswer(line);
  return { exit, json, text, ...(hint === null ? {} : { hint }) };
}

/** Verbs whose argument is a path: the service stands elsewhere. */
const TAKES_PATH = ['media import', 'certificate install'];

/** The words of a command line without what is said to this process alone. A folder or file is named from here. */
function requestOf(verb: string, { args, options, io }: CommandCall): OperatorRequest {
  const own = ['config', 'state', 'mirror', 'fetch', 'service', 'json'];
  const given = Object.entries(options).flatMap(([name, value]) =>
    own.includes(name) || (typeof value !== 'string' && typeof value !== 'boolean') ? [] : [[name, value] as const],
  );
  const words = args.filter((word) => typeof word === 'string');
  return {
    v: 1,
    verb,
    args: TAKES_PATH.includes(verb) ? words.map((word) => path.resolve(io.cwd, word)) : words,
    options: Object.fromEntries(given),
  };
}

async function answerFrom(socket: string, request: OperatorRequest, signal: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    return await askLine(socket, request, MAX_APPLY_BYTES, signal);
  } catch (cause) {
    if (signal.aborted)
      throw new SiteError('INTERRUPTED', `ask for ${request.verb}: interrupted; the service goes on with it`, {}, { cause });
    if (isNodeError(cause, 'ENOENT', 'ECONNREFUSED', 'EACCES', 'EPIPE')) throw unreachable(socket, cause.message, cause);
    throw cause;
  }
}

function unreachable(socket: string, got: string, cause?: Error): SiteError {
  return new SiteError('UPDATER_UNREACHABLE', `ask the apply service at ${socket}: expected an answer, got ${got}`, { socket }, { cause });
}
