/** Names and paths in commands that people are told to run: as a shell takes them for one word. */
import { utf8 } from './bytes.js';
import { oneLine } from './printable.js';

/** What no shell takes for anything but itself. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * `text` as one word of a POSIX shell, quoted only where it must be. What would be printed as something else (line ends, escapes, marks that turn
 * text around) is spelt as `$'\033'`, which bash, zsh and POSIX of 2024 read. A path that begins with a dash gets `./` before it.
 */
export function shellWord(text: string): string {
  const word = text.startsWith('-') ? `./${text}` : text;
  if (PLAIN.test(word)) return word;
  if (oneLine(word) === word) return `'${word.replaceAll("'", "'\\''")}'`;
  return `$'${[...utf8(word)].map(spelt).join('')}'`;
}

function spelt(byte: number): string {
  const letter = String.fromCharCode(byte);
  return PLAIN.test(letter) ? letter : `\\${byte.toString(8).padStart(3, '0')}`;
}
