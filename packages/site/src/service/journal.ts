/** What the journal of the host keeps of an outcome: a line for people, and fields to filter by (systemd.journal-fields(7)). */
import type { Outcome, SiteResult } from '../apply/outcome.js';

/** Message ids, one for each outcome, for catalogs and alerts: `journalctl MESSAGE_ID=…`. */
export const MESSAGE_IDS: Readonly<Record<Outcome, string>> = {
  available: '0b7a6e9b6f0f4d6f9a6de5a1c6b8f101',
  installed: '0b7a6e9b6f0f4d6f9a6de5a1c6b8f102',
  unchanged: '0b7a6e9b6f0f4d6f9a6de5a1c6b8f103',
  deferred: '0b7a6e9b6f0f4d6f9a6de5a1c6b8f104',
  refused: '0b7a6e9b6f0f4d6f9a6de5a1c6b8f105',
  'rolled-back': '0b7a6e9b6f0f4d6f9a6de5a1c6b8f106',
  held: '0b7a6e9b6f0f4d6f9a6de5a1c6b8f107',
};

/** Syslog priorities: critical where a person is needed, an error where a release failed, a warning where one was refused. */
const PRIORITY: Readonly<Record<Outcome, number>> = {
  available: 5,
  installed: 5,
  unchanged: 6,
  deferred: 5,
  refused: 4,
  'rolled-back': 3,
  held: 2,
};

/** One entry as `NAME=value` lines, as logger(1) takes them. `pid` is the service that it is about. */
export function journalEntry({ site, outcome, release, previous, reason }: SiteResult, text: string, pid: number): string {
  const fields = {
    MESSAGE: text,
    MESSAGE_ID: MESSAGE_IDS[outcome],
    PRIORITY: String(PRIORITY[outcome]),
    SYSLOG_IDENTIFIER: 'sealane-site',
    OBJECT_PID: String(pid),
    SEALANE_SITE: site,
    SEALANE_OUTCOME: outcome,
    SEALANE_RELEASE: release,
    SEALANE_PREVIOUS: previous,
    SEALANE_REASON: reason,
  };
  return Object.entries(fields)
    .flatMap(([name, value]) => (value === null ? [] : [`${name}=${value.replace(/\s+/g, ' ')}\n`]))
    .join('');
}

/** Whether an outcome is news: the same one, once a minute for weeks, is not. */
export function isNews(last: SiteResult | undefined, { outcome, release, reason }: SiteResult): boolean {
  if (last === undefined) return outcome !== 'unchanged';
  return last.outcome !== outcome || last.release !== release || last.reason !== reason;
}
