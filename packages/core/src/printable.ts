/** Text that strangers may have named, made safe to show: nothing in it draws on a terminal, forges a line, or turns its direction around. */

/** Control characters, line ends, and the marks that turn the direction of text around (Unicode TR 36, section 2.6). */
// eslint-disable-next-line no-control-regex -- they are what is taken out
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

/** Longest text for people (reasons, remedies), in UTF-16 units: a receipt or channel stays small whatever is typed into it. */
export const MAX_PLAIN_TEXT = 2000;
/** What documents take as text for people: several lines, but no control character. */
// eslint-disable-next-line no-control-regex -- control characters are what it keeps out
export const PLAIN_TEXT = /^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$/;

/** Whether documents take it as text for people. */
export function isPlainText(text: string): boolean {
  return text.length <= MAX_PLAIN_TEXT && PLAIN_TEXT.test(text);
}

/** Halves of characters, as a cut through a text leaves them. */
const HALVES = /\p{Surrogate}/gu;

/** One line of text: what cannot be shown becomes a space, half a character U+FFFD. */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, ' ').replace(HALVES, '\ufffd');
}

/** The beginning of a text, for documents: no JSON can say half of a character, and what cannot be written down would stop whoever has to. */
export function clipped(text: string, maxUnits: number): string {
  return text.slice(0, maxUnits).replace(HALVES, '\ufffd');
}

/**
 * Text of several lines, as commands print it: line ends and tabs stay, all else that cannot be shown is spelt out as `\u001b`.
 * In a string of a JSON document that spelling means the same, so documents stay what they were.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (run) => run.replace(/[^\n\t]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`));
}
