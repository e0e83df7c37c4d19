/** Writes entries with fields to the journal of the host. Node speaks no datagrams on unix sockets, so logger(1) of util-linux does. */
import { spawn } from 'node:child_process';
import type { SiteResult } from '../apply/outcome.js';
import { isNews, journalEntry } from './journal.js';

/** Keeps the journal of a service: only what is news; where the output does not go to a journal, a line for people. */
export function openJournalOfHost(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
  talk: (line: string) => void,
): (result: SiteResult, text: string) => void {
  let last: SiteResult | undefined;
  return (result, text) => {
    if (isNews(last, result)) {
      if (env['JOURNAL_STREAM'] === undefined) talk(text);
      else log(journalEntry(result, text, pid), () => talk(text));
    }
    last = result;
  };
}

/** Keeps the outcome of one update with nothing resident, where the unit asks for it: what came before is not known, so all but `unchanged` is news. */
export function noteOutcome(env: Readonly<Record<string, string | undefined>>, pid: number, result: SiteResult, text: string): void {
  // what is printed goes to the journal too
  if (env['SEALANE_JOURNAL'] === 'fields' && isNews(undefined, result)) log(journalEntry(result, text, pid), () => undefined);
}

/** An entry that cannot be written with its fields is written without them. */
function log(entry: string, otherwise: () => void): void {
  const logger = spawn('logger', ['--journald'], { stdio: ['pipe', 'ignore', 'ignore'] });
  logger.once('error', otherwise);
  logger.once('exit', (code) => (code === 0 ? undefined : otherwise()));
  logger.stdin.on('error', () => undefined);
  logger.stdin.end(entry);
}
