/** Why a registry refuses, in its own words (distribution-spec 1.1, "Error codes"). Pure. */
import { oneLine } from '@sealane/core';
import { arrayOf, objectOf } from './descriptor.js';
import { parseOciJson } from './manifest.js';

/** The most that is read of an answer that refuses. */
export const MAX_COMPLAINT_BYTES = 16 * 1024;
const MAX_WORDS = 300;
const MAX_ERRORS = 1000;

/** The first of the errors that a registry names: a code such as `DENIED`, and words for people on one line. */
export interface Complaint {
  readonly code: string;
  readonly words: string;
}

/** Reads one; undefined where there is none that can be read. */
export function complaintIn(body: Uint8Array): Complaint | undefined {
  try {
    const { errors } = objectOf(parseOciJson(body, MAX_COMPLAINT_BYTES, 'an error'), 'an error');
    const { code, message } = objectOf(arrayOf(errors, 'errors', MAX_ERRORS)[0], 'an error');
    if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{0,63}$/.test(code)) return undefined;
    return { code, words: typeof message === 'string' ? oneLine(message).trim().slice(0, MAX_WORDS) : '' };
  } catch {
    // whatever it is, the status alone is told then
    return undefined;
  }
}

/** `DENIED: no right to write here`. */
export const toldComplaint = ({ code, words }: Complaint): string => (words === '' ? code : `${code}: ${words}`);
