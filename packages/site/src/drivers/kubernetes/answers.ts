/** What answers of an API server mean for who asked: done, never, or not now. Pure. */
import { textOf } from '../../tool-json.js';
import type { Answer } from './cluster-shell.js';
import { keyText, type ObjectKey } from './objects.js';
import type { ClusterAnswer } from './wire.js';

/** A server says by these that the object itself is wrong; by others that it, or this site's rights, are. */
const NEVER = [400, 404, 409, 413, 415, 422];

/** Longest that a server is quoted. */
const MAX_QUOTED = 500;

/** A problem with one object; undefined where it was done. */
export function problemOf(verb: string, key: ObjectKey, answer: Answer): ClusterAnswer | undefined {
  if (answer.status !== undefined && answer.status < 300) return undefined;
  const is = isNever(answer) ? 'refused' : 'failed';
  return { is, how: `${verb} ${keyText(key)}: ${howOf(answer)}` };
}

/** The answer for people. */
export function howOf(answer: Answer): string {
  if (answer.status === undefined) return answer.why;
  const message = textOf(answer.body, 'message');
  return `got ${answer.status}${message === '' ? '' : `: ${message.slice(0, MAX_QUOTED)}`}`;
}

/** A field that its kind has not is found while the patch is typed, and the server calls that an internal error. */
function isNever(answer: Answer): boolean {
  if (answer.status === undefined) return false;
  return NEVER.includes(answer.status) || (answer.status === 500 && howOf(answer).includes('failed to create typed patch object'));
}
