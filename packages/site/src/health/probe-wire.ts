/** What comes back through the pipe of the prober: one JSON object a line. Whatever else comes is a problem of its own. */
import { LIMITS, parseStrictJson } from '@sealane/core';

/** Longest answer: a short text about what is wrong. */
export const MAX_ANSWER_BYTES = 16 * 1024;

const MAX_TEXT = 1000;

/** A line of the prober. */
export function problemLine(problem: string | undefined): string {
  return `${JSON.stringify({ problem: problem?.slice(0, MAX_TEXT) ?? null })}\n`;
}

/**
 * What a line says is wrong, or undefined when it says that nothing is.
 *
 * @throws CoreError `TRUST_*` it is no JSON
 */
export function parseProblem(line: Uint8Array): string | undefined {
  const value = parseStrictJson(line, { maxBytes: MAX_ANSWER_BYTES, maxDepth: LIMITS.jsonDepth });
  const problem = typeof value === 'object' && value !== null && 'problem' in value ? value.problem : '';
  if (problem === null) return undefined;
  return typeof problem === 'string' && problem !== '' ? problem : 'an answer that is none';
}
