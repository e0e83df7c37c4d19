/** Work on many questions, each of which stands or falls by itself. */
import type { Question } from './gate-source.js';

/** Something of each question. */
export type ByQuestion<T> = ReadonlyMap<Question, T>;
/** Why a question goes no further. */
export type Failures = Map<Question, Error>;

/** Works on one after another; one that throws goes among the failures, and the others go on. */
export async function eachAlone<T, R>(
  items: Iterable<readonly [Question, T]>,
  failures: Failures,
  work: (item: T, question: Question) => Promise<R>,
): Promise<ByQuestion<R>> {
  const done = new Map<Question, R>();
  for (const [question, item] of items) {
    try {
      done.set(question, await work(item, question));
    } catch (error) {
      failures.set(question, asError(error));
    }
  }
  return done;
}

/** Those for which `keep` holds. */
export function filterQuestions<T>(items: ByQuestion<T>, keep: (item: T, question: Question) => boolean): ByQuestion<T> {
  return new Map([...items].filter(([question, item]) => keep(item, question)));
}

/** Whatever was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
