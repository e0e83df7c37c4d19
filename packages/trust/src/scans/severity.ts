/** Severities, from the words and scores that scanners write. What cannot be told is unknown, and never low. */

/** From the least. */
export const SEVERITIES = ['none', 'low', 'medium', 'high', 'critical'] as const;

export type Severity = (typeof SEVERITIES)[number] | 'unknown';

const WORDS: ReadonlyMap<string, Severity> = new Map([
  ...SEVERITIES.map((word): [string, Severity] => [word, word]),
  ['moderate', 'medium'],
  ['important', 'high'],
  ['negligible', 'low'],
  ['minor', 'low'],
]);

/** The severity of one score: a word, or a CVSS score of 0 to 10 (its qualitative scale). */
function severityOf(score: string | number): Severity {
  const text = String(score).trim().toLowerCase();
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!/^\d{1,2}(?:\.\d+)?$/.test(text) || Number(text) > 10) return 'unknown';
  const value = Number(text);
  if (value === 0) return 'none';
  if (value < 4) return 'low';
  if (value < 7) return 'medium';
  return value < 9 ? 'high' : 'critical';
}

/** What the scores of one finding say together. */
export interface Severities {
  /** The highest. Unknown when there is none, or one that cannot be read: it may be the highest. */
  readonly severity: Severity;
  /** The same for rules that compare: critical where a score that cannot be read stands beside others. Unknown would pass for less than what the others say. */
  readonly worst: Severity;
}

/** What all scores of one finding say. */
export function severitiesOf(scores: readonly (string | number)[]): Severities {
  const read = scores.map(severityOf);
  const highest = SEVERITIES.findLast((each) => read.includes(each)) ?? 'unknown';
  if (!read.includes('unknown')) return { severity: highest, worst: highest };
  return { severity: 'unknown', worst: highest === 'unknown' ? 'unknown' : 'critical' };
}
