/**
 * What the page that verifies in a browser runs, without the page: JavaScript on WebCrypto alone, short enough to be read before it is trusted.
 *
 * It is written apart from our other verifiers on purpose: it imports nothing, so the page is one file that opens from a disk, and what the two agree on
 * is held by tests. Fails closed: whatever cannot be read, or was not pinned, is a check that does not hold.
 */

/** The program: `readPins(text)`, and `verifyStatement(bundle text, pins, statement digest or '')`, which gives checks, and when all hold the statement and its signer. */
export const VERIFY_LIBRARY = String.raw`'use strict';

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const same = (left, right) => hex(left) === hex(right);
const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

/** Standard base64 in its one spelling: what is decoded is what another program would decode. */
function fromBase64(text) {
  if (typeof text !== 'string') throw new Error('expected base64, got none');
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (base64(bytes) !== text) throw new Error('expected base64 in its one spelling, got another');
  return bytes;
}

function concat(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', concat(...parts)));
}

// ---- what the reader trusts ----

/** A C2SP verifier key, NAME+HASH+BASE64: type 1 is a log, type 4 a witness. */
async function readVkey(text) {
  const [, name, hash, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  if (name === undefined) throw new Error('expected a key of the form NAME+HASH+BASE64, got ' + text.slice(0, 80));
  const typed = fromBase64(encoded);
  const keyHash = (await sha256(utf8(name + '\n'), typed)).slice(0, 4);
  if (hex(keyHash) !== hash || typed.length !== 33 || ![1, 4].includes(typed[0]))
    throw new Error('expected an Ed25519 key of a log or a witness, got ' + text.slice(0, 80));
  return { name, keyHash, isWitness: typed[0] === 4, key: typed.slice(1) };
}

/** A policy of the lane (JSON), or keys: one on each line, which may begin with words of a C2SP tlog-policy. */
async function readPins(text) {
  const given = text.trim();
  if (given.startsWith('{')) {
    const policy = JSON.parse(given);
    if (policy.kind !== 'Policy') throw new Error('expected a policy of a lane, got another document');
    const keys = await Promise.all([...policy.logs.map((log) => log.vkey), ...policy.witnesses].map(readVkey));
    return { keys, quorum: policy.quorum, names: namesIn(policy) };
  }
  const lines = given.split('\n').map((line) => line.trim().split(/\s+/)).filter(([first]) => first !== '' && !first.startsWith('#'));
  const vkeys = lines.flatMap((words) => words.filter((word) => word.split('+').length > 2));
  const keys = await Promise.all(vkeys.map(readVkey));
  return { keys, quorum: undefined, names: new Map() };
}

/** Whose keys a policy names, by key id. */
function namesIn(policy) {
  const named = [
    ...Object.entries(policy.signers).map(([kind, keys]) => [keys, 'signer of ' + kind]),
    ...policy.chain.map(({ stage, keys }) => [keys, 'stage ' + stage]),
    [policy.registrar, 'registrar'],
    ...policy.people.map(({ id, keys }) => [keys, id]),
  ];
  const names = new Map();
  for (const [keys, name] of named) for (const key of keys) names.set(key, [...(names.get(key) ?? []), name]);
  return names;
}

// ---- what is verified ----

/** Every check, whether it holds and why; the statement only when all hold. */
async function verifyStatement(text, pins, asked) {
  const checks = [];
  const check = async (what, work) => {
    try {
      checks.push({ what, holds: true, said: await work() });
    } catch (error) {
      checks.push({ what, holds: false, said: error.message });
    }
  };
  let read;
  await check('The file is a signed statement with its proof', async () => {
    read = await readBundle(text);
    return 'statement ' + read.digest + ', entry ' + read.index;
  });
  if (read === undefined) return { checks };
  if (asked !== '') {
    await check('It is the statement that was asked for', async () => {
      if (read.digest !== asked) throw new Error('asked for ' + asked + ', got ' + read.digest);
      return 'the SHA-256 of its bytes is the digest';
    });
  }
  await check('Its signature is by the key in its log entry', () => verifySignature(read));
  await check('Its log entry is of these bytes and this signature', () => verifyEntry(read));
  await check('The entry is in the tree of the checkpoint', () => verifyInclusion(read));
  await check('The log that you trust signed the checkpoint', () => verifyLog(read, pins));
  await check('Witnesses that you trust have seen the checkpoint', () => verifyWitnesses(read, pins));
  const holds = checks.every((one) => one.holds);
  return { checks, ...(holds ? { text: shown(read.text), signer: signerOf(read, pins) } : {}) };
}

/** The statement in lines, where that hides nothing of how it was signed (a name that stands there twice). What turns the direction of text around is spelt out. */
function shown(text) {
  const value = JSON.parse(text);
  const lines = JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : text;
  const unseen = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
  return lines.replace(unseen, (one) => '\\u' + one.charCodeAt(0).toString(16).padStart(4, '0'));
}

/** A Sigstore bundle v0.3 with one signature and one entry of a log (https://docs.sigstore.dev/about/bundle/). */
async function readBundle(text) {
  const given = JSON.parse(text);
  // the service answers with the bundle and what it is of
  const bundle = given.bundle ?? given;
  const { dsseEnvelope: envelope, verificationMaterial: material } = bundle;
  if (envelope?.signatures?.length !== 1 || material?.tlogEntries?.length !== 1)
    throw new Error('expected a Sigstore bundle with one signature and one log entry');
  const [{ sig }] = envelope.signatures;
  const [{ canonicalizedBody, inclusionProof }] = material.tlogEntries;
  if (envelope.payloadType !== 'application/vnd.in-toto+json') throw new Error('expected an in-toto statement');
  if (!/^(0|[1-9]\d{0,14})$/.test(inclusionProof.logIndex)) throw new Error('expected an index in the log');
  const payload = fromBase64(envelope.payload);
  const body = fromBase64(canonicalizedBody);
  const { verifier } = JSON.parse(new TextDecoder().decode(body)).spec.hashedRekordV002.signature;
  const certificate = verifier.x509Certificate === undefined ? undefined : fromBase64(verifier.x509Certificate.rawBytes);
  const spki = certificate === undefined ? fromBase64(verifier.publicKey.rawBytes) : keyOfCertificate(certificate);
  const type = utf8(envelope.payloadType);
  return {
    text: new TextDecoder('utf-8', { fatal: true }).decode(payload),
    digest: 'sha256:' + hex(await sha256(payload)),
    // DSSE, PAE: what the signature is over
    signed: concat(utf8('DSSEv1 ' + type.length + ' '), type, utf8(' ' + payload.length + ' '), payload),
    signature: fromBase64(sig),
    certificate,
    spki,
    keyId: hex(await sha256(spki)),
    body,
    index: Number(inclusionProof.logIndex),
    hashes: inclusionProof.hashes.map(fromBase64),
    ...readNote(inclusionProof.checkpoint.envelope),
  };
}

/** A checkpoint as signed note (C2SP signed-note, tlog-checkpoint). */
function readNote(note) {
  const split = note.lastIndexOf('\n\n');
  const [head, lines] = [note.slice(0, split + 1), note.slice(split + 2)];
  const [origin, size, root] = head.split('\n');
  if (split < 0 || !/^[1-9]\d{0,14}$/.test(size ?? '')) throw new Error('expected a checkpoint of a log');
  const signatures = lines.split('\n').slice(0, -1).map((line) => {
    const [, name, encoded] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = fromBase64(encoded);
    return { name, keyHash: bytes.slice(0, 4), blob: bytes.slice(4) };
  });
  return { head, origin, size: Number(size), root: fromBase64(root), signatures };
}

async function verifySignature({ spki, signature, signed, keyId }) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await crypto.subtle.importKey('spki', spki, algorithm, false, ['verify']).catch(() => {
    throw new Error('expected an ECDSA key on P-256');
  });
  if (!(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, rawSignature(signature), signed)))
    throw new Error('the signature is not by the key ' + keyId + ' over these bytes');
  return 'ECDSA P-256, key ' + keyId;
}

/** DER's SEQUENCE of two INTEGERs as the 64 bytes that WebCrypto takes. */
function rawSignature(der) {
  const { content } = derAt(der, 0, 0x30, der.length);
  const r = derAt(content, 0, 0x02);
  const s = derAt(content, r.end, 0x02, content.length);
  return concat(...[r.content, s.content].map((bytes) => {
    const number = bytes[0] === 0 ? bytes.slice(1) : bytes;
    if (number.length > 32) throw new Error('expected a signature of two numbers of 32 bytes');
    return concat(new Uint8Array(32 - number.length), number);
  }));
}

/** The DER value at a place: of this tag, and of the whole rest where an end is given. */
function derAt(bytes, at, tag, end) {
  const first = bytes[at + 1];
  const more = first > 0x80 ? first - 0x80 : 0;
  const length = more === 0 ? first : bytes.slice(at + 2, at + 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
  const from = at + 2 + more;
  const whole = from + length;
  if ((tag !== undefined && bytes[at] !== tag) || more > 4 || !(whole <= bytes.length) || (end !== undefined && whole !== end))
    throw new Error('expected DER, got something else');
  return { content: bytes.slice(from, whole), end: whole };
}

/** SubjectPublicKeyInfo of a certificate: after version, number, algorithm, issuer, times and subject (RFC 5280, 4.1). */
function keyOfCertificate(der) {
  const fields = derAt(derAt(der, 0, 0x30, der.length).content, 0, 0x30).content;
  let at = 0;
  for (let field = 0; field < 6; field++) at = derAt(fields, at).end;
  return fields.slice(at, derAt(fields, at, 0x30).end);
}

/** The entry is written anew and compared byte by byte: nothing in it is left unread (Rekor v2, hashedrekord 0.0.2). */
async function verifyEntry({ signed, signature, certificate, spki, body }) {
  const keyDetails = 'PKIX_ECDSA_P256_SHA_256';
  const verifier = certificate === undefined
    ? { keyDetails, publicKey: { rawBytes: base64(spki) } }
    : { keyDetails, x509Certificate: { rawBytes: base64(certificate) } };
  const data = { algorithm: 'SHA2_256', digest: base64(await sha256(signed)) };
  const hashedRekordV002 = { data, signature: { content: base64(signature), verifier } };
  const expected = JSON.stringify({ apiVersion: '0.0.2', kind: 'hashedrekord', spec: { hashedRekordV002 } });
  if (!same(utf8(expected), body)) throw new Error('the log entry is of other bytes or another signature');
  return 'hash, signature and key are those of the entry';
}

/** RFC 9162, 2.1.3.2. */
async function verifyInclusion({ body, index, size, hashes, root }) {
  const wrong = 'the proof does not lead from entry ' + index + ' to the root of ' + size + ' entries';
  if (index >= size) throw new Error(wrong);
  let [hash, at, last] = [await sha256([0], body), index, size - 1];
  for (const sibling of hashes) {
    if (last === 0 || sibling.length !== 32) throw new Error(wrong);
    if (at % 2 === 1 || at === last) {
      hash = await sha256([1], sibling, hash);
      while (at !== 0 && at % 2 === 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else hash = await sha256([1], hash, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  if (last !== 0 || !same(hash, root)) throw new Error(wrong);
  return 'entry ' + index + ' of ' + size;
}

/** The note's signature by a key, and whether it holds; undefined when the note has none by it. */
async function signedBy({ head, signatures }, { name, keyHash, key, isWitness }) {
  const line = signatures.find((one) => one.name === name && same(one.keyHash, keyHash));
  if (line === undefined) return undefined;
  const seconds = isWitness && line.blob.length === 72 ? Number(new DataView(line.blob.buffer).getBigUint64(0)) : 0;
  // C2SP tlog-cosignature: a witness signs the time as well
  const text = isWitness ? 'cosignature/v1\ntime ' + seconds + '\n' + head : head;
  const verifier = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
  const signature = isWitness ? line.blob.slice(8) : line.blob;
  return { holds: await crypto.subtle.verify('Ed25519', verifier, signature, utf8(text)), seconds };
}

async function verifyLog(read, { keys }) {
  const logs = keys.filter((key) => !key.isWitness && key.name === read.origin);
  if (logs.length === 0) throw new Error('none of the keys that you trust is of the log ' + read.origin);
  const signed = await Promise.all(logs.map((log) => signedBy(read, log)));
  if (signed.some((one) => one?.holds === false)) throw new Error('the signature of ' + read.origin + ' is not of this checkpoint');
  if (!signed.some((one) => one?.holds)) throw new Error(read.origin + ' signed it with another key than the one that you trust');
  return read.origin + ', ' + read.size + ' entries';
}

async function verifyWitnesses(read, { keys, quorum }) {
  // one key is one witness, whatever names it goes by
  const witnesses = [...new Map(keys.filter((key) => key.isWitness).map((key) => [hex(key.key), key])).values()];
  if (!Number.isInteger(quorum) || quorum < 1) throw new Error('expected how many witnesses are enough, got ' + quorum);
  const seen = [];
  for (const witness of witnesses) {
    const signed = await signedBy(read, witness);
    if (signed?.holds === false) throw new Error('the cosignature of ' + witness.name + ' is not of this checkpoint');
    if (signed !== undefined) seen.push({ name: witness.name, at: new Date(signed.seconds * 1000).toISOString().slice(0, 19) + 'Z' });
  }
  if (seen.length < quorum) throw new Error(seen.length + ' of the witnesses that you trust have seen it, expected ' + quorum);
  return seen.map(({ name, at }) => name + ' at ' + at).join(', ');
}

/** Whose key it is, as far as what was pinned tells. */
function signerOf({ keyId, certificate }, { names }) {
  if (certificate !== undefined) return 'by a certificate, which this page does not judge: sealane bundle verify does';
  const known = names.get(keyId);
  return known === undefined ? 'key ' + keyId + ': whose it is, the policy of the lane says' : 'key ' + keyId + ': ' + known.join(', ');
}
`;
