import { expect, test } from 'vitest';
import { CoreError } from './errors.js';

test('a message is one line of bounded length that draws nothing, whatever it quotes', () => {
  const { message } = new CoreError('USAGE', 'read x: got \u001b[2J\r\nforged\u0085line\u202egpj.exe');
  expect(message).toBe('read x: got  [2J forged line gpj.exe');
  expect(new CoreError('USAGE', 'a'.repeat(1_000_000)).message).toHaveLength(2000);
  expect(new CoreError('USAGE', `read ${'\u20ac'.repeat(10)}: caf\u00e9 \u65e5\u672c`).message).toBe(
    'read \u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac: caf\u00e9 \u65e5\u672c',
  );
});

test('a message never has half a character in it, wherever it or what it quotes was cut: no journal or receipt could say it', () => {
  const cut = '\u{1f642}'.repeat(3000);
  expect(new CoreError('USAGE', `got ${cut.slice(1, 4)}`).message).toBe('got \ufffd\u{1f642}');
  for (const before of ['', 'a']) expect(new CoreError('USAGE', before + cut).message).not.toMatch(/\p{Surrogate}/u);
});
