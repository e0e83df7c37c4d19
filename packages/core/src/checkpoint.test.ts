import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noteVectors } from '../../../test/support/note-vectors.js';
import { refusal } from '../../../test/support/refusal.js';
import { hex, utf8 } from './bytes.js';
import { formatCheckpointText, parseCheckpoint } from './checkpoint.js';
import { CoreError } from './errors.js';
import { openNote, parseNote, parseVkey } from './signed-note.js';

const vectors = noteVectors('checkpoints');

test.each(vectors)('checkpoint vector $name', (v) => {
  const open = () => {
    const { verified } = openNote(v.checkpoint, v.vkeys.map(parseVkey));
    const checkpoint = parseCheckpoint(v.checkpoint);
    if (verified.length === 0 || checkpoint.origin !== v.origin) throw new CoreError('NOTE_UNVERIFIED', 'not by the log');
    return checkpoint;
  };
  // a size beyond 2^53 may be refused, never rounded
  const acceptable = v.expect === 'accept' && typeof v.size === 'number';
  if (acceptable) expect({ size: open().size, root: hex(open().root) }).toEqual({ size: v.size, root: v.rootHex });
  else expect(refusal(open)).toMatch(/^(?:NOTE|CHECKPOINT)_/);
});

test('28 checkpoints are there, with those that the Go reference takes and we refuse', () => {
  expect(vectors).toHaveLength(28);
  const stricter = vectors.filter((v: { stricterThanReference?: string }) => v.stricterThanReference !== undefined);
  expect(stricter).toHaveLength(6);
  for (const v of stricter) expect([v.name, refusal(() => parseCheckpoint(v.checkpoint))]).toEqual([v.name, 'CHECKPOINT_MALFORMED']);
});

test('text and bytes of a note give the same checkpoint, and its text formats again', () => {
  const { checkpoint, size } = vectors.find((v: { name: string }) => v.name === 'size-300');
  const parsed = parseCheckpoint(checkpoint);
  expect(parseCheckpoint(utf8(checkpoint))).toEqual(parsed);
  expect(parsed.size).toBe(size);
  expect(formatCheckpointText(parsed)).toBe(parsed.text);
});

test('a byte order mark is part of the origin, whether the note comes as text or as bytes', () => {
  const { checkpoint } = vectors.find((v: { name: string }) => v.name === 'size-300');
  const parsed = parseCheckpoint(utf8(`\ufeff${checkpoint}`));
  expect(parsed.note).toBe(`\ufeff${checkpoint}`);
  expect(parsed.origin.codePointAt(0)).toBe(0xfeff);
});

test('any text in place of size and root is a checkpoint that formats to the same text, or a refusal', () => {
  const lines = fc.array(
    fc.oneof(
      fc.string(),
      fc.nat().map(String),
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => Buffer.from(b).toString('base64')),
    ),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(lines, (parts) => {
      const note = `${parts.join('\n')}\n\n\u2014 log AAAAAAAA\n`;
      const code = refusal(() => parseCheckpoint(note));
      if (code !== undefined) expect(code).toMatch(/^(?:NOTE|CHECKPOINT)_MALFORMED$/);
      else expect(parseNote(note).text.startsWith(formatCheckpointText(parseCheckpoint(note)))).toBe(true);
    }),
    { numRuns: 500 },
  );
});
