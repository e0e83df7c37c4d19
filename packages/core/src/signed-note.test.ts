import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, hex } from './bytes.js';
import { parseCheckpoint } from './checkpoint.js';
import { CoreError } from './errors.js';
import { verifyConsistency } from './merkle.js';
import { verifyQuorum } from './quorum.js';
import { formatVkey, openNote, parseNote, parseVkey } from './signed-note.js';
import { entriesPath, parseTilePath, tileCount, tilePath } from './tile-path.js';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../../test/vectors/notes/${name}.json`, import.meta.url), 'utf8'));
const refused = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof CoreError) return error.code;
    throw error;
  }
};

test.each(read('notes').map((v: { name: string }) => [v.name, v]))('note vector %s', (_, v) => {
  const open = () => openNote(v.noteBase64 === undefined ? v.note : Buffer.from(v.noteBase64, 'base64'), v.vkeys.map(parseVkey));
  if (v.expect === 'accept') expect(open().verified.map(({ name }) => name)).toEqual(v.verified);
  else expect(refused(() => { if (open().verified.length === 0) throw new CoreError('NOTE_UNVERIFIED', 'nobody known signed'); })).toMatch(/^NOTE_|BYTES_/);
});

test('vkey vectors: good ones come back byte for byte, manglings are refused', () => {
  for (const v of read('vkeys')) {
    if (v.manglings !== undefined) {
      for (const mangled of manglings(v.manglings)) expect([mangled, refused(() => parseVkey(mangled))]).toEqual([mangled, 'VKEY_MALFORMED']);
    } else if (v.expect === 'accept') expect(formatVkey(parseVkey(v.vkey))).toBe(v.vkey);
    else expect([v.vkey, refused(() => parseVkey(v.vkey))]).toEqual([v.vkey, 'VKEY_MALFORMED']);
  }
});

function* manglings(text: string): Generator<string> {
  for (let begin = 0; begin < text.length; begin += 1) {
    for (let end = begin; end <= text.length; end += 1) if (end - begin < text.length) yield text.slice(begin, end);
    yield text.slice(0, begin) + String.fromCharCode(text.charCodeAt(begin) + 1) + text.slice(begin + 1);
  }
}

test.each(read('checkpoints').map((v: { name: string }) => [v.name, v]))('checkpoint vector %s', (_, v) => {
  const parse = () => {
    const { verified } = openNote(v.checkpoint, v.vkeys.map(parseVkey));
    const checkpoint = parseCheckpoint(v.checkpoint);
    if (verified.length === 0 || checkpoint.origin !== v.origin) throw new CoreError('NOTE_UNVERIFIED', 'not by the log');
    return checkpoint;
  };
  // a size beyond 2^53 may be refused, never rounded
  if (v.expect === 'accept' && typeof v.size === 'number') expect({ size: parse().size, root: hex(parse().root) }).toEqual({ size: v.size, root: v.rootHex });
  else expect(refused(parse)).toBeDefined();
});

test.each(read('cosignatures').map((v: { name: string }) => [v.name, v]))('cosignature vector %s', (_, v) => {
  const check = () => verifyQuorum({ note: v.checkpoint, log: parseVkey(v.log), witnesses: v.witnesses.map(parseVkey), quorum: v.quorum ?? 1 });
  const accepted = refused(check) === undefined;
  expect({ accepted, why: v.why }).toEqual({ accepted: v.expect === 'accept', why: v.why });
});

test('consistency vectors', () => {
  for (const v of read('tlog-proofs').consistency) {
    const input = { size1: v.size1, size2: v.size2, root1: fromHex(v.root1Hex), root2: fromHex(v.root2Hex), proof: v.proofHex.map(fromHex) };
    expect([v, refused(() => verifyConsistency(input)) === undefined]).toEqual([v, v.expect === 'accept']);
  }
});

test('tile path vectors', () => {
  const v = read('tile-paths');
  for (const p of v.paths) {
    const width = p.width ?? 256;
    const path = p.level === 'entries' ? entriesPath({ index: p.index, width }) : tilePath({ level: p.level, index: p.index, width });
    expect(path).toBe(p.path);
    expect(parseTilePath(p.path)).toEqual({ level: p.level, index: p.index, width });
  }
  for (const bad of v.bad) expect([bad, refused(() => parseTilePath(typeof bad === 'string' ? bad : bad.path))]).toEqual([bad, 'TILE_PATH_MALFORMED']);
  for (const edge of v.rightEdge) {
    const tiles: string[] = [];
    for (let level = 0; edge.size >= 256 ** level; level += 1) {
      const { full, partialWidth } = tileCount(edge.size, level);
      if (full > 0) tiles.push(tilePath({ level, index: full - 1, width: 256 }));
      if (partialWidth > 0) tiles.push(tilePath({ level, index: full, width: partialWidth }));
    }
    expect([edge.size, tiles]).toEqual([edge.size, edge.tiles]);
  }
});

test('arbitrary bytes never crash the note parser, and what it takes apart is all there', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      refused(() => parseCheckpoint(bytes));
      refused(() => parseVkey(Buffer.from(bytes).toString('latin1')));
    }),
  );
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const note = `${a}\n\n\u2014 ${b} AAAAAAAA\n`;
      const code = refused(() => parseNote(note));
      if (code === undefined) expect(note.startsWith(parseNote(note).text)).toBe(true);
    }),
  );
});
