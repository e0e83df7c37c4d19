import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refusal } from '../../../test/support/refusal.js';
import { base64, fromUtf8, hex, utf8 } from './bytes.js';
import { canonicalJson, type JsonValue } from './canonical-json.js';
import { sha256, sha256Raw } from './digest.js';
import { envelopePayload, INTOTO_PAYLOAD_TYPE, makeEnvelope, pae, parseEnvelope, statementDigestOf } from './dsse.js';
import { LIMITS } from './limits.js';
import { encodeLogLeaf, logLeaf, parseLogLeaf } from './log-leaf.js';
import { p256PublicKey, verifyP256 } from './p256.js';
import { keyIdOf, type Signer, signStatement, verifyEnvelope } from './signer.js';
import { encodeStatement, parseStatement, PREDICATE } from './statement.js';

const spkiOf = (key: KeyObject): Uint8Array => new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
function signerOf(key: KeyObject): Signer {
  const spki = spkiOf(key);
  return { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, key))) };
}
const p256 = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const alice = signerOf(p256());
const digest = 'a'.repeat(64);
const payload = encodeStatement({
  subject: [{ name: 'app', digest: { sha256: digest } }],
  predicateType: PREDICATE.release,
  predicate: { version: '1' },
});

test("the encoding of DSSE's own example", () => {
  expect(fromUtf8(pae('http://example.com/HelloWorld', utf8('hello world')))).toBe(
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  );
  // lengths are bytes, not characters
  expect(fromUtf8(pae('\u00e9', utf8('\u00e9')))).toBe('DSSEv1 2 \u00e9 2 \u00e9');
});

test('a signed statement verifies by its key and by no other, type and payload included', async () => {
  const { envelope } = await signStatement(payload, alice);
  expect(envelope.payloadType).toBe(INTOTO_PAYLOAD_TYPE);
  expect(envelope.signatures[0].keyid).toBe('');
  expect(verifyEnvelope(envelope, alice.spki)).toBe(true);
  expect(verifyEnvelope(envelope, spkiOf(p256()))).toBe(false);
  expect(verifyEnvelope({ ...envelope, payloadType: 'text/plain' }, alice.spki)).toBe(false);
  expect(verifyEnvelope({ ...envelope, payload: base64(utf8('{}')) }, alice.spki)).toBe(false);
  expect(statementDigestOf(envelope)).toBe(sha256(payload));
  expect(parseEnvelope(JSON.parse(JSON.stringify(envelope)))).toEqual(envelope);
});

test('two people who sign one statement make one statement digest and two leaves', async () => {
  const bob = signerOf(p256());
  const [{ envelope: one }, { envelope: two }] = [await signStatement(payload, alice), await signStatement(payload, bob)];
  expect(statementDigestOf(one)).toBe(statementDigestOf(two));
  expect(logLeaf(one, alice.spki)).not.toEqual(logLeaf(two, bob.spki));
});

test('an envelope has exactly one signature and no other fields', async () => {
  const { envelope: good } = await signStatement(payload, alice);
  const [signature] = good.signatures;
  const bad: readonly unknown[] = [
    null,
    [],
    'envelope',
    {},
    { ...good, signatures: [] },
    { ...good, signatures: [signature, signature] },
    { ...good, signatures: signature },
    { ...good, signatures: [null] },
    { ...good, signatures: [{ keyid: '' }] },
    { ...good, signatures: [{ ...signature, keyid: 7 }] },
    { ...good, signatures: [{ ...signature, cert: 'x' }] },
    { ...good, extra: 1 },
    { ...good, payload: `${good.payload} ` },
    { ...good, payload: good.payload.replaceAll('+', '-').replaceAll('=', '') + '!' },
    { ...good, payload: base64(new Uint8Array(LIMITS.statementBytes + 1)) },
    { ...good, signatures: [{ ...signature, sig: '%' }] },
    { ...good, payloadType: undefined },
  ];
  for (const value of bad) expect([value, refusal(() => parseEnvelope(value as JsonValue))]).toEqual([value, 'ENVELOPE_MALFORMED']);
});

test('only P-256 in its one encoding verifies: no other curve, kind, compressed point or stray byte', () => {
  const key = p256();
  const spki = spkiOf(key);
  const data = utf8('data');
  const signature = new Uint8Array(sign('sha256', data, key));
  expect(verifyP256(spki, data, signature)).toBe(true);
  const compressed = Buffer.concat([
    Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
    Buffer.from([2 + (spki[90]! & 1)]),
    spki.subarray(27, 59),
  ]);
  expect(createPublicKey({ key: compressed, format: 'der', type: 'spki' }).asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  expect(verifyP256(compressed, data, signature)).toBe(false);
  expect(verifyP256(Buffer.concat([spki, Buffer.from([0])]), data, signature)).toBe(false);
  for (const other of [generateKeyPairSync('ec', { namedCurve: 'P-384' }), generateKeyPairSync('ed25519')]) {
    const kind = other.privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
    expect(verifyP256(spkiOf(other.privateKey), data, new Uint8Array(sign(kind, data, other.privateKey)))).toBe(false);
  }
});

test('a point that is not on the curve is no key', () => {
  const spki = spkiOf(p256());
  expect(p256PublicKey(spki).export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(spki));
  for (const at of [27, 58, 59, 90])
    expect(refusal(() => p256PublicKey(spki.map((byte, n) => (n === at ? byte ^ 1 : byte))))).toBe('KEY_MALFORMED');
  expect(refusal(() => p256PublicKey(spki.map((byte, n) => (n > 26 ? 0 : byte))))).toBe('KEY_MALFORMED');
  expect(refusal(() => p256PublicKey(spki.map((byte, n) => (n > 26 ? 255 : byte))))).toBe('KEY_MALFORMED');
});

test('arbitrary keys and signatures verify nothing and crash nothing', () => {
  const key = p256();
  const good = new Uint8Array(sign('sha256', utf8('data'), key));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, flip) => {
      expect(verifyP256(bytes, utf8('data'), good)).toBe(false);
      expect(verifyP256(spkiOf(key), utf8('data'), bytes)).toBe(false);
      const bent = Uint8Array.from(good, (byte, n) => (n === at % good.length ? byte ^ flip : byte));
      expect(verifyP256(spkiOf(key), utf8('data'), bent)).toBe(false);
    }),
  );
});

test('a leaf is Rekor v2 hashedrekord 0.0.2, byte for byte', async () => {
  const { envelope } = await signStatement(payload, alice);
  const leaf = logLeaf(envelope, alice.spki);
  const encoded = base64(sha256Raw(pae(INTOTO_PAYLOAD_TYPE, payload)));
  expect(fromUtf8(leaf)).toBe(
    `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"${encoded}"},` +
      `"signature":{"content":"${envelope.signatures[0].sig}","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"${base64(alice.spki)}"}}}}}}`,
  );
  const parsed = parseLogLeaf(leaf);
  expect(parsed.spki).toEqual(alice.spki);
  expect(hex(parsed.paeDigest)).toBe(hex(sha256Raw(pae(INTOTO_PAYLOAD_TYPE, envelopePayload(envelope)))));
  expect(encodeLogLeaf(parsed)).toEqual(leaf);
});

test('a leaf with one character changed is another leaf or a refusal, never the same', async () => {
  const leaf = logLeaf((await signStatement(payload, alice)).envelope, alice.spki);
  const good = parseLogLeaf(leaf);
  fc.assert(
    fc.property(fc.nat(leaf.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bent = Uint8Array.from(leaf, (byte, n) => (n === at ? byte ^ flip : byte));
      const code = refusal(() => parseLogLeaf(bent));
      if (code === undefined) expect(parseLogLeaf(bent)).not.toEqual(good);
      else expect(code).toBe('LOG_LEAF_MALFORMED');
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(refusal(() => parseLogLeaf(utf8(text)))).toBe('LOG_LEAF_MALFORMED');
    }),
  );
  expect(refusal(() => parseLogLeaf(canonicalJson({ ...(JSON.parse(fromUtf8(leaf)) as object), more: 1 })))).toBe('LOG_LEAF_MALFORMED');
  expect(refusal(() => parseLogLeaf(utf8(` ${fromUtf8(leaf)}`)))).toBe('LOG_LEAF_MALFORMED');
});

test('a statement is read back as it was written', () => {
  const statement = parseStatement(payload);
  expect(statement).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'app', digest: { sha256: digest } }],
    predicateType: PREDICATE.release,
    predicate: { version: '1' },
  });
  expect(encodeStatement(statement)).toEqual(payload);
});

test('a statement names its subjects by SHA-256 and has one type and one predicate', () => {
  const good = JSON.parse(fromUtf8(payload));
  const bad: readonly unknown[] = [
    [],
    { ...good, _type: 'https://in-toto.io/Statement/v0.1' },
    { ...good, subject: [] },
    { ...good, subject: {} },
    { ...good, subject: [{ name: 'app' }] },
    { ...good, subject: [{ digest: { sha512: digest } }] },
    { ...good, subject: [{ digest: { sha256: digest.toUpperCase() } }] },
    { ...good, subject: [{ digest: { sha256: `${digest}a` } }] },
    { ...good, subject: [{ name: 1, digest: { sha256: digest } }] },
    { ...good, predicateType: '' },
    { ...good, predicate: [] },
    { ...good, predicate: undefined },
  ];
  for (const value of bad)
    expect([value, refusal(() => parseStatement(utf8(JSON.stringify(value))))]).toEqual([value, 'STATEMENT_MALFORMED']);
  expect(refusal(() => parseStatement(utf8(fromUtf8(payload).replace('{"_type"', '{"_type":"x","_type"'))))).toBe('JSON_DUPLICATE_KEY');
  // what other tools add to a subject is under the signature and not ours to refuse
  const subject = [{ digest: { sha256: digest, sha512: 'x' }, annotations: {} }];
  expect(parseStatement(utf8(JSON.stringify({ ...good, subject }))).subject).toEqual([{ digest: { sha256: digest } }]);
});

test('arbitrary JSON is a statement, an envelope, or a named refusal', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(refusal(() => parseStatement(utf8(JSON.stringify(value))))).toMatch(/^(?:STATEMENT|JSON)_/);
      expect(refusal(() => parseEnvelope(value as JsonValue))).toBe('ENVELOPE_MALFORMED');
    }),
  );
  const envelope = fc.record({
    payload: fc.base64String(),
    payloadType: fc.string(),
    signatures: fc.tuple(fc.record({ sig: fc.base64String(), keyid: fc.string() }, { requiredKeys: ['sig'] })),
  });
  fc.assert(
    fc.property(envelope, (value) => {
      // fast-check's base64 may have stray bits, which we refuse
      if (refusal(() => parseEnvelope(value)) === undefined)
        expect(canonicalJson({ ...parseEnvelope(value) })).toEqual(canonicalJson(value));
    }),
  );
  expect(parseEnvelope({ ...makeEnvelope('t', utf8('p'), utf8('s')) })).toEqual(makeEnvelope('t', utf8('p'), utf8('s')));
});
