import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noteFile, noteVectors } from '../../../test/support/note-vectors.js';
import { refusal } from '../../../test/support/refusal.js';
import { CoreError } from './errors.js';
import { formatVkey, NOTE_KEY_TYPE, openNote, parseNote, parseVkey, signatureLine, signNote, vkeyOf } from './signed-note.js';

const keys = noteFile('keys');
/** PKCS#8 of an Ed25519 seed (RFC 8410). */
const ed25519 = (seedHex: string) =>
  createPrivateKey({ key: Buffer.from(`302e020100300506032b657004220420${seedHex}`, 'hex'), format: 'der', type: 'pkcs8' });

test.each(noteVectors('notes'))('note vector $name', (v) => {
  const open = () => {
    const opened = openNote(v.noteBase64 === undefined ? v.note : Buffer.from(v.noteBase64, 'base64'), v.vkeys.map(parseVkey));
    if (opened.verified.length === 0) throw new CoreError('NOTE_UNVERIFIED', 'nobody known signed');
    return opened;
  };
  if (v.expect === 'accept') expect(open().verified.map(({ name }) => name)).toEqual(v.verified);
  else expect(refusal(open)).toMatch(/^NOTE_/);
});

test('30 notes and 16 vkeys are there', () => {
  expect([noteVectors('notes').length, noteVectors('vkeys').length]).toEqual([30, 16]);
});

test('vkey vectors: good ones come back byte for byte, manglings are refused', () => {
  for (const v of noteVectors('vkeys')) {
    if (v.manglings !== undefined) {
      for (const mangled of manglings(v.manglings))
        expect([mangled, refusal(() => parseVkey(mangled))]).toEqual([mangled, 'VKEY_MALFORMED']);
    } else if (v.expect === 'accept') expect(formatVkey(parseVkey(v.vkey))).toBe(v.vkey);
    else expect([v.vkey, refusal(() => parseVkey(v.vkey))]).toEqual([v.vkey, 'VKEY_MALFORMED']);
  }
});

function* manglings(text: string): Generator<string> {
  for (let begin = 0; begin < text.length; begin += 1) {
    for (let end = begin; end <= text.length; end += 1) if (end - begin < text.length) yield text.slice(begin, end);
    yield text.slice(0, begin) + String.fromCharCode(text.charCodeAt(begin) + 1) + text.slice(begin + 1);
  }
}

test('makes the vkeys of the key vectors from their seeds', () => {
  for (const { name, type, seedHex, vkey } of keys.keys) expect(formatVkey(vkeyOf(name, type, ed25519(seedHex)))).toBe(vkey);
});

test("signs as Go's note package does, byte for byte", () => {
  const { skey, text, signed } = keys.goSigner;
  const seedHex = Buffer.from(skey.split('+').slice(4).join('+'), 'base64').subarray(1).toString('hex');
  expect(`${text}\n${signNote(text, 'PeterNeumann', ed25519(seedHex))}`).toBe(signed);
});

test('a second, wrong line of a known key condemns the note, also after a good one', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const vkey = vkeyOf('log', NOTE_KEY_TYPE.ed25519, privateKey);
  const note = `one\n\n${signNote('one\n', 'log', privateKey)}`;
  expect(openNote(note, [vkey]).verified).toEqual([vkey]);
  const wrong = signatureLine('log', vkey.keyHash, new Uint8Array(64));
  expect(refusal(() => openNote(note + wrong, [vkey]))).toBe('NOTE_UNVERIFIED');
});

test('a note with half a surrogate pair is refused, as it would be signed and read as another text', () => {
  expect(refusal(() => parseNote('a\ud800b\n\n\u2014 log AAAAAAAA\n'))).toBe('NOTE_MALFORMED');
});

test('no key is made for a name that a signature line cannot carry, nor from another kind of key', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'a\u0001']) {
    expect([name, refusal(() => vkeyOf(name, NOTE_KEY_TYPE.ed25519, privateKey))]).toEqual([name, 'VKEY_MALFORMED']);
  }
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  expect(refusal(() => vkeyOf('log', NOTE_KEY_TYPE.ed25519, p256))).toBe('KEY_MALFORMED');
});

test('arbitrary bytes never crash the parsers of notes and vkeys', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(refusal(() => parseNote(bytes))).toMatch(/^NOTE_MALFORMED$/);
      expect(refusal(() => parseVkey(Buffer.from(bytes).toString('latin1')))).toBe('VKEY_MALFORMED');
    }),
  );
});

test('a note that is taken apart can be put together again', () => {
  const line = fc.tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ minLength: 5, maxLength: 80 }));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(line, { minLength: 1, maxLength: 4 }), (text, lines) => {
      const note = `${text}\n\n${lines.map(([name, blob]) => signatureLine(name, blob.subarray(0, 4), blob.subarray(4))).join('')}`;
      const code = refusal(() => parseNote(note));
      if (code !== undefined) expect(code).toBe('NOTE_MALFORMED');
      else {
        const parsed = parseNote(note);
        const again = parsed.signatures.map(({ name, keyHash, blob }) => signatureLine(name, keyHash, blob)).join('');
        expect(`${parsed.text}\n${again}`).toBe(note);
      }
    }),
  );
});
