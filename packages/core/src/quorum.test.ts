import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { noteVectors } from '../../../test/support/note-vectors.js';
import { refusal } from '../../../test/support/refusal.js';
import { hex } from './bytes.js';
import { parseCheckpoint } from './checkpoint.js';
import { cosign, verifyCosignatures } from './cosignature.js';
import { emptyRoot } from './merkle.js';
import { verifyQuorum } from './quorum.js';
import { makeVkey, NOTE_KEY_TYPE, parseNote, parseVkey, signNote, type Vkey, vkeyOf } from './signed-note.js';

const vectors = noteVectors('cosignatures');
const decided = vectors.filter((v: { expect: string }) => v.expect !== 'parse-only');

test.each(decided)('cosignature vector $name', (v) => {
  const check = () =>
    verifyQuorum({ note: v.checkpoint, logKeys: [parseVkey(v.log)], witnesses: v.witnesses.map(parseVkey), quorum: v.quorum });
  if (v.expect === 'reject') expect(refusal(check)).toMatch(/^LOG_/);
  // a third, older cosignature does not drag our witnessed time below the best quorum; the vector's own number is the lowest of all
  else expect(check().lowestSeconds).toBe(v.name === 'three-of-three' ? 1767225605 : v.witnessedTime);
});

test('14 cosignature vectors are there', () => {
  expect(vectors).toHaveLength(14);
});

test("takes the specification's own example apart", () => {
  const { checkpoint } = vectors.find((v: { expect: string }) => v.expect === 'parse-only');
  const { origin, size } = parseCheckpoint(checkpoint);
  expect({ origin, size }).toEqual({ origin: 'example.com/behind-the-sofa', size: 20852163 });
  const [log, witness] = parseNote(checkpoint).signatures;
  expect([log!.name, hex(log!.keyHash)]).toEqual(['example.com/behind-the-sofa', '033de0ae']);
  expect([witness!.name, hex(witness!.keyHash)]).toEqual(['witness.example.com/w1', '8d66cf3f']);
  expect(Buffer.from(witness!.blob).readBigUInt64BE()).toBe(1679315147n);
});

const logKey = generateKeyPairSync('ed25519').privateKey;
const log = vkeyOf('log.example', NOTE_KEY_TYPE.ed25519, logKey);
const witnessKeys = ['w1', 'w2', 'w3'].map((name) => ({ name, privateKey: generateKeyPairSync('ed25519').privateKey }));
const witnesses = witnessKeys.map(({ name, privateKey }) => vkeyOf(name, NOTE_KEY_TYPE.cosignature, privateKey));
const text = `log.example\n0\n${Buffer.from(emptyRoot()).toString('base64')}\n`;
const signed = `${text}\n${signNote(text, 'log.example', logKey)}`;
const noteAt = (...times: number[]): string => signed + times.map((time, n) => cosign(witnessKeys[n]!, text, time)).join('');
const check = (note: string, known: readonly Vkey[], quorum: number) => () =>
  verifyQuorum({ note, logKeys: [log], witnesses: known, quorum });

test('of more cosignatures than the quorum the latest span the witnessed time', () => {
  expect(check(noteAt(100, 300, 200), witnesses, 2)()).toMatchObject({ lowestSeconds: 200, highestSeconds: 300 });
  expect(check(noteAt(100, 300, 200), witnesses, 3)()).toMatchObject({ lowestSeconds: 100, highestSeconds: 300 });
  expect(check(noteAt(100, 300, 200), witnesses, 1)()).toMatchObject({ lowestSeconds: 300, highestSeconds: 300 });
});

test('one witness in a quorum of two cannot move the lowest time beyond what another saw', () => {
  expect(check(noteAt(100, 9_999_999), witnesses, 2)().lowestSeconds).toBe(100);
});

test('one key under two names is one witness', () => {
  const alias = { name: 'alias', privateKey: witnessKeys[0]!.privateKey };
  const known = [witnesses[0]!, vkeyOf('alias', NOTE_KEY_TYPE.cosignature, alias.privateKey)];
  const note = noteAt(100) + cosign(alias, text, 101);
  expect(verifyCosignatures(note, known)).toHaveLength(2);
  expect(refusal(check(note, known, 2))).toBe('LOG_WITNESS');
  expect(check(note, known, 1)().lowestSeconds).toBe(101);
});

test('a witness with a new key is one witness with the old one: whoever has both makes no quorum of two', () => {
  const renewed = { name: 'w1', privateKey: generateKeyPairSync('ed25519').privateKey };
  const known = [vkeyOf('w1', NOTE_KEY_TYPE.cosignature, renewed.privateKey), witnesses[1]!, witnesses[0]!];
  const note = noteAt(100) + cosign(renewed, text, 101);
  expect(verifyCosignatures(note, known)).toHaveLength(2);
  expect(refusal(check(note, known, 2))).toBe('LOG_WITNESS');
  expect(check(note + cosign(witnessKeys[1]!, text, 90), known, 2)()).toMatchObject({ lowestSeconds: 90, highestSeconds: 101 });
});

test('a quorum of none is refused, however many cosigned', () => {
  for (const quorum of [0, -1, Number.NaN, 1.5])
    expect([quorum, refusal(check(noteAt(100), witnesses, quorum))]).toEqual([quorum, 'LOG_WITNESS']);
});

test("a log's key does not cosign: type 1 under the witness's name counts for nothing", () => {
  const asLog = makeVkey('w1', NOTE_KEY_TYPE.ed25519, witnesses[0]!.publicKey);
  expect(refusal(check(signed + signNote(text, 'w1', witnessKeys[0]!.privateKey), [asLog], 1))).toBe('LOG_WITNESS');
  const asCosigner = makeVkey('log.example', NOTE_KEY_TYPE.cosignature, log.publicKey);
  const cosignedOnly = `${text}\n${cosign({ name: 'log.example', privateKey: logKey }, text, 5)}`;
  expect(refusal(() => verifyQuorum({ note: cosignedOnly, logKeys: [asCosigner], witnesses, quorum: 1 }))).toBe('LOG_NOT_INCLUDED');
});

test('the same witness twice counts once, with its latest time', () => {
  const note = noteAt(100) + cosign(witnessKeys[0]!, text, 140);
  expect(verifyCosignatures(note, witnesses)).toEqual([{ witness: witnesses[0], timeSeconds: 140 }]);
  expect(refusal(check(note, witnesses, 2))).toBe('LOG_WITNESS');
});
