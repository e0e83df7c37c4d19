/** Writes the reports that a CI step asks for beside its answer. */
import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, OptionSpec } from '@sealane/core/command-line';
import { writeOutput } from '../disk-shell.js';
import { listOption } from '../promoter.js';
import { VERSION } from '../version.js';
import { githubOutput } from './github-output.js';
import { junitReport } from './junit.js';
import { markdownReport } from './markdown.js';
import type { ReportedOutcome } from './outcome.js';
import { sarifReport } from './sarif.js';

/** A format: how it is written, and whether a step's report goes behind what is in the file already. */
interface Format {
  readonly appends: boolean;
  readonly write: (outcome: ReportedOutcome) => string;
}

const FORMATS: Readonly<Record<string, Format>> = {
  markdown: { appends: true, write: markdownReport },
  'github-output': { appends: true, write: githubOutput },
  junit: { appends: false, write: junitReport },
  sarif: { appends: false, write: (outcome) => sarifReport(outcome, VERSION) },
};

/** Which reports to write. */
export const REPORT: OptionSpec = {
  flags: '--report <format=file>',
  description: 'also write the checks as markdown or github-output (behind what is in FILE), junit or sarif; may be repeated',
  repeat: true,
};

interface Wanted {
  readonly format: Format;
  readonly file: string;
}

/**
 * The reports that a call asks for, checked before anything is done: a promotion must not end in a report that cannot be written.
 *
 * @throws PromoterError `USAGE` no FORMAT=FILE, or an unknown format; `STATE_UNWRITABLE` the file cannot be opened
 */
export function wantedReports(call: CommandCall): readonly Wanted[] {
  return listOption(call, 'report').map((text) => {
    const [, name = '', file = ''] = /^([a-z-]+)=(.+)$/s.exec(text) ?? [];
    const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
    if (format !== undefined) return { format, file: writable(path.resolve(call.io.cwd, file)) };
    throw new PromoterError(
      'USAGE',
      `read --report ${JSON.stringify(text.slice(0, 80))}: expected FORMAT=FILE with one of ${Object.keys(FORMATS).join(', ')}`,
    );
  });
}

/** Writes the reports of an outcome; the answer stays as it is. */
export function writeReports(wanted: readonly Wanted[], { json, exit }: CommandResult): void {
  const outcome = { ...(json as Omit<ReportedOutcome, 'exit'>), exit };
  for (const { format, file } of wanted) {
    if (format.appends) appendFileSync(file, format.write(outcome));
    else writeOutput(file, format.write(outcome));
  }
}

function writable(file: string): string {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    closeSync(openSync(file, 'a'));
    return file;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PromoterError('STATE_UNWRITABLE', `open report ${file}: ${why}`, { file }, { cause });
  }
}
