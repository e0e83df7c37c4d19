/** What the `tuf` commands share: the flags of the public suite, and answers of exit 0 or 1 only. */
import path from 'node:path';
import { ERRORS, PromoterError, SealaneError } from '@sealane/core';
import type { CommandCall, CommandResult, OptionSpec } from '@sealane/core/command-line';
import { isTime, type TufRules } from '@sealane/trust';
import { openSource, type ReadFile } from './source-shell.js';
import type { MetadataFolder } from './metadata-folder-shell.js';

export const METADATA_DIR: OptionSpec = {
  flags: '--metadata-dir <dir>',
  description: 'where trusted metadata and version floors are kept',
  required: true,
};
export const METADATA_URL: OptionSpec = {
  flags: '--metadata-url <url>',
  description: 'the metadata of the repository: a web address or a folder',
  required: true,
};
export const STRICT: OptionSpec = { flags: '--strict', description: "add the lane's rules to those of TUF 1.0.34" };
export const NOW: OptionSpec = { flags: '--now <time>', description: 'judge expiry at this time (YYYY-MM-DDTHH:MM:SSZ) instead of now' };

/** A flag's one value; undefined where it was not given. */
function textOption(call: CommandCall, name: string): string | undefined {
  const value = call.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** A flag that names a folder, from the folder the command runs in. @throws PromoterError `USAGE` */
export function folderOption(call: CommandCall, name: string): string {
  return path.resolve(call.io.cwd, requiredOption(call, name));
}

/** A flag that names a web address or a folder. @throws PromoterError `USAGE` */
export function sourceOption(call: CommandCall, name: string): ReadFile {
  return openSource(requiredOption(call, name), call.io.cwd, call.io.signal);
}

/** A flag that the command line frame made sure of. @throws PromoterError `USAGE` */
function requiredOption(call: CommandCall, name: string): string {
  const value = textOption(call, name);
  if (value === undefined || value === '') throw new PromoterError('USAGE', `read the flags: expected ${name}, got nothing`);
  return value;
}

export function rulesOf(call: CommandCall): TufRules {
  return call.options['strict'] === true ? 'lane' : 'plain';
}

/** The time to judge by. @throws PromoterError `USAGE` */
export function nowOf(call: CommandCall, clock: () => string): string {
  const now = textOption(call, 'now') ?? clock();
  if (!isTime(now)) throw new PromoterError('USAGE', `read --now: expected YYYY-MM-DDTHH:MM:SSZ, got ${JSON.stringify(now)}`);
  return now;
}

/**
 * Runs the work of a `tuf` command. A refusal is exit 1, whatever its code (the public suite knows 0 and 1 only), and `{ok, code, versions}` says which;
 * `versions` are those of the metadata kept.
 */
export async function answerTuf(call: CommandCall, folder: MetadataFolder, work: () => Promise<void>): Promise<CommandResult> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SealaneError) || error.code === 'USAGE') throw error;
    const { code, message } = error;
    if (call.options['json'] !== true) call.io.talk(`sealane: error: ${message} (${code})\n`);
    return { exit: 1, json: { ok: false, code, message, versions: folder.versions() }, text: '', hint: error.hint ?? ERRORS[code].hint };
  }
  const versions = folder.versions();
  const text = Object.entries(versions)
    .map(([role, version]) => `${role} ${version}`)
    .join('\n');
  return { exit: 0, json: { ok: true, code: null, versions }, text };
}
