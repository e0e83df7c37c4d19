/** The words of a value as systemd and quadlet take it apart: quotes, and the escapes of C (systemd.syntax(7), "Quoting"). */

const TOKEN = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-3][0-7]{2})|([^]))|(["'])|([ \t\n]+)|([^\\"' \t\n]+|\\)/g;

const LETTERS: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', s: ' ' };

/** The words, without quotes and escapes. A quote that is not closed ends with the text. */
export function systemdWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (const [whole, x, u, long, octal, letter, mark, space] of text.matchAll(TOKEN)) {
    const code = x ?? u ?? long;
    const plain = code === undefined ? (letter === undefined ? whole : (LETTERS[letter] ?? letter)) : character(Number.parseInt(code, 16));
    if (mark !== undefined && (quote === '' || quote === mark)) {
      quote = quote === '' ? mark : '';
      word ??= '';
    } else if (space !== undefined && quote === '') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + (octal === undefined ? plain : character(Number.parseInt(octal, 8)));
  }
  return word === undefined ? words : [...words, word];
}

/** A number that no character has stands for itself: no rule knows it either way. */
function character(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
}
