/** A page that is made of two answers: it rests on what both rest on, and is complete where both are. */
import type { Answered } from '../answers/inquiry.js';

/** The first answer, with statements and doubts of both, each once. */
export function restingOnBoth<T extends object>(first: Answered<T>, { answer, statements, complete }: Answered<object>): Answered<T> {
  const all = new Map([...first.statements, ...statements].map((one) => [one.logIndex, one]));
  const doubts = new Map([...first.answer.doubts, ...answer.doubts].map((one) => [`${one.logIndex} ${one.code} ${one.message}`, one]));
  return {
    ...first,
    answer: { ...first.answer, doubts: [...doubts.values()] },
    statements: [...all.values()].sort((left, right) => left.logIndex - right.logIndex),
    complete: first.complete && complete,
  };
}
