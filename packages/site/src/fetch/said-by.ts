/** What a place said when it did not do what it was asked, for a message: a promoter says a few words, what stands before one has pages. */
import type { WebAnswer } from './web-client-shell.js';

/** Of the words of a promoter; a longer text is no word. */
const MAX_WORDS = 100;

/** ` words`, or what came in their place; nothing where nothing was said. Every letter of it is somebody else's. */
export function saidBy({ headers }: Pick<WebAnswer, 'headers'>, text: string): string {
  const words = text.trim();
  if (words === '') return '';
  const isPage = /^text\/html\b/i.test(headers['content-type'] ?? '') || words.startsWith('<');
  if (!isPage && words.length <= MAX_WORDS && !/\p{C}/u.test(words)) return ` ${words}`;
  return ` and ${isPage ? 'a page' : 'a text'} of ${text.length} letters`;
}
