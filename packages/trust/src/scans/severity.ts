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

/** The highest severity that any of the scores says; unknown when none can be read. */
export function highestSeverity(scores: readonly (string | number)[]): Severity {
  const known = scores.map(severityOf).filter((each) => each !== 'unknown');
  return known.reduce<Severity>(
    (top, each) => (top === 'unknown' || SEVERITIES.indexOf(each) > SEVERITIES.indexOf(top) ? each : top),
    'unknown',
  );
}
