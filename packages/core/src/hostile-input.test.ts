/** Every parser of core against what a stranger may hand to it. */
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { tryParser } from '../../../test/support/hostile-input.js';
import { type Authority, certificateAuthority, certify, derOf } from '../../../test/support/certificates.js';
import { noteFile, noteVectors } from '../../../test/support/note-vectors.js';
import { refusal } from '../../../test/support/refusal.js';
import { base64, equalBytes, fromUtf8, utf8 } from './bytes.js';
import { canonicalJson, type JsonObject, type JsonValue } from './canonical-json.js';
import { readCertificate } from './certificate.js';
import { makeCertificateRequest, readCertificateRequest } from './certificate-request.js';
import { parseCheckpoint } from './checkpoint.js';
import { verifyCosignatures } from './cosignature.js';
import { parseDigest, sha256 } from './digest.js';
import { makeEnvelope, INTOTO_PAYLOAD_TYPE, parseEnvelope } from './dsse.js';
import { encodeEntryBundle, parseEntryBundle } from './entry-bundle.js';
import { hardwareFacts } from './hardware-class.js';
import { LIMITS } from './limits.js';
import { encodeLogLeaf, logLeaf, parseLogLeaf } from './log-leaf.js';
import { verifyQuorum } from './quorum.js';
import { keyIdOf, type Signer } from './signer.js';
import { formatVkey, parseNote, parseVkey, signatureLine } from './signed-note.js';
import { makeSiteRequest, readSiteRequest } from './site-request.js';
import { encodeStatement, parseStatement } from './statement.js';
import { parseStrictJson } from './strict-json.js';
import { entriesPath, parseTilePath, tilePath } from './tile-path.js';
import { formatTlogProof, parseTlogProof } from './tlog-proof.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
const signer: Signer = { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey))) };
const payload = encodeStatement({
  subject: [{ name: 'app', digest: { sha256: 'a'.repeat(64) } }],
  predicateType: 'urn:x',
  predicate: { n: 1 },
});
const envelope = makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, new Uint8Array(sign('sha256', payload, privateKey)));
const hbom: JsonObject = {
  bomFormat: 'CycloneDX',
  specVersion: '1.7',
  metadata: {
    component: {
      type: 'device',
      manufacturer: { name: 'Northrack' },
      name: 'ER-220',
      components: [{ type: 'firmware', name: 'BIOS', version: '2.14' }],
    },
  },
};
const WIDE = { maxBytes: 1_000_000, maxDepth: 32 };
const json = (bytes: Uint8Array): JsonValue => parseStrictJson(bytes, WIDE);
const cosigned: { checkpoint: string; log: string; witnesses: string[]; quorum: number }[] = noteVectors('cosignatures').filter(
  (v: { expect: string }) => v.expect === 'accept',
);
const [quorumCase] = cosigned;

let ca: Authority;
let request: Uint8Array;
let certificateRequest: Uint8Array;
beforeAll(async () => {
  ca = await certificateAuthority('Fulcio');
  certificateRequest = await makeCertificateRequest({ site: 'plant-7', previous: null, nonce: '0'.repeat(32) }, signer, signer);
  request = await makeSiteRequest({ name: 'plant-7', nonce: '0'.repeat(32), recipient: null, hbom }, signer);
});

describe('takes or refuses by name, writes back what it took, and never hangs', () => {
  test('strict JSON', () => {
    tryParser({ parse: json, samples: ['{"a":[1,"x",null,{"b":true}]}', '"text"'], codes: /^JSON_/ });
  });

  test('canonical JSON: what was written reads back, and is written the same', () => {
    const parse = (bytes: Uint8Array): void => {
      const written = canonicalJson(json(bytes));
      expect(equalBytes(canonicalJson(json(written)), written)).toBe(true);
    };
    tryParser({ parse, samples: ['{"b":1,"a":[0.1,1e15,"\u20ac"]}'], codes: /^JSON_/ });
  });

  test('digests', () => {
    tryParser({
      parse: (bytes) => parseDigest(Buffer.from(bytes).toString('latin1')),
      write: (digest) => digest,
      samples: [sha256(payload)],
      codes: /^DIGEST_MALFORMED$/,
    });
  });

  test('DSSE envelopes', () => {
    tryParser({
      parse: (bytes) => parseEnvelope(json(bytes)),
      samples: [JSON.stringify(envelope)],
      codes: /^(?:ENVELOPE_MALFORMED|JSON_\w+)$/,
    });
  });

  test('in-toto statements', () => {
    tryParser({ parse: parseStatement, samples: [payload], codes: /^(?:STATEMENT_MALFORMED|JSON_\w+)$/ });
  });

  test('log leaves', () => {
    tryParser({ parse: parseLogLeaf, write: encodeLogLeaf, samples: [logLeaf(envelope, spki)], codes: /^LOG_LEAF_MALFORMED$/ });
  });

  test('signed notes', () => {
    const write = ({ text, signatures }: ReturnType<typeof parseNote>): string =>
      `${text}\n${signatures.map(({ name, keyHash, blob }) => signatureLine(name, keyHash, blob)).join('')}`;
    tryParser({ parse: parseNote, write, samples: cosigned.map(({ checkpoint }) => checkpoint), codes: /^NOTE_MALFORMED$/ });
  });

  test('verifier keys', () => {
    tryParser({
      parse: (bytes) => parseVkey(Buffer.from(bytes).toString('latin1')),
      write: formatVkey,
      samples: cosigned.map(({ log }) => log),
      codes: /^VKEY_MALFORMED$/,
    });
  });

  test('checkpoints', () => {
    tryParser({
      parse: parseCheckpoint,
      write: ({ note }) => note,
      samples: cosigned.map(({ checkpoint }) => checkpoint),
      codes: /^(?:NOTE|CHECKPOINT)_MALFORMED$/,
    });
  });

  test('cosignatures, and the quorum over them: a bent note never counts', () => {
    if (quorumCase === undefined) throw new RangeError('read the vectors: expected a cosigned checkpoint');
    const { log, witnesses, quorum, checkpoint } = quorumCase;
    const keys = witnesses.map(parseVkey);
    tryParser({ parse: (bytes) => verifyCosignatures(bytes, keys), samples: [checkpoint], codes: /^NOTE_/ });
    const text = parseNote(checkpoint).text;
    const parse = (bytes: Uint8Array): void => {
      const { checkpoint: verified } = verifyQuorum({ note: bytes, logKeys: [parseVkey(log)], witnesses: keys, quorum });
      expect(verified.text).toBe(text);
    };
    tryParser({ parse, samples: [checkpoint], codes: /^LOG_(?:NOT_INCLUDED|WITNESS)$/ });
  });

  test('tlog-proofs', () => {
    const proofs = noteFile('tlog-proofs').proofs.filter((v: { expect: string }) => v.expect === 'accept');
    tryParser({
      parse: parseTlogProof,
      write: formatTlogProof,
      samples: proofs.map((v: { proof: string }) => v.proof),
      codes: /^PROOF_MALFORMED$/,
    });
  });

  test('tile paths', () => {
    const write = ({ level, index, width }: ReturnType<typeof parseTilePath>): string =>
      level === 'entries' ? entriesPath({ index, width }) : tilePath({ level, index, width });
    const samples = ['tile/0/000', 'tile/1/x123/x456/067.p/8', 'tile/entries/x001/234'];
    tryParser({ parse: (bytes) => parseTilePath(Buffer.from(bytes).toString('latin1')), write, samples, codes: /^TILE_PATH_MALFORMED$/ });
  });

  test('hardware inventories', () => {
    const parse = (bytes: Uint8Array): unknown => {
      const value = json(bytes);
      return hardwareFacts(typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {});
    };
    tryParser({ parse, samples: [JSON.stringify(hbom)], codes: /^(?:HBOM_MALFORMED|JSON_\w+)$/ });
  });

  test('entry bundles', () => {
    const bundle = encodeEntryBundle([logLeaf(envelope, spki), logLeaf(envelope, spki)]);
    tryParser({ parse: (bytes) => parseEntryBundle(bytes, 2), write: encodeEntryBundle, samples: [bundle], codes: /^TILE_MALFORMED$/ });
  });

  test('certificates of identities', async () => {
    const samples = [derOf(await certify(ca.issuing, { identity: 'alice@example.org', issuer: 'https://accounts.example' }))];
    tryParser({ parse: readCertificate, samples, codes: /^CERTIFICATE_MALFORMED$/ });
  });

  test('requests for certificates', () => {
    tryParser({ parse: readCertificateRequest, samples: [certificateRequest], codes: /^(?:CERTIFICATE_REQUEST|JSON_\w+)$/ });
  });

  test('requests of sites', () => {
    tryParser({ parse: readSiteRequest, samples: [request], codes: /^(?:REQUEST_MALFORMED|JSON_\w+)$/ });
  });
});

describe('reads nothing beyond its bound', () => {
  const tooLong = (bytes: number): Uint8Array => utf8(`"${'a'.repeat(bytes)}"`);
  test.each([
    ['a statement', () => parseStatement(tooLong(LIMITS.statementBytes)), 'JSON_TOO_LARGE'],
    ['a payload', () => parseEnvelope({ ...envelope, payload: base64(new Uint8Array(LIMITS.statementBytes + 1)) }), 'ENVELOPE_MALFORMED'],
    ['a leaf', () => parseLogLeaf(tooLong(LIMITS.logLeafBytes)), 'LOG_LEAF_MALFORMED'],
    ['a note', () => parseNote(fromUtf8(utf8(`${'a'.repeat(LIMITS.checkpointBytes)}\n\n\u2014 a AAAAAAAA\n`))), 'NOTE_MALFORMED'],
    ['a proof', () => parseTlogProof(tooLong(2 * LIMITS.checkpointBytes)), 'PROOF_MALFORMED'],
    ['a request', () => readSiteRequest(tooLong(LIMITS.siteRequestBytes)), 'JSON_TOO_LARGE'],
  ])('%s', (_, read, code) => {
    expect(refusal(read)).toBe(code);
  });
});
