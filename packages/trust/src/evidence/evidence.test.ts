import {
  base64,
  canonicalJson,
  digestHex,
  formatVkey,
  fromUtf8,
  type JsonObject,
  logId,
  NOTE_KEY_TYPE,
  parseCheckpoint,
  parseDigest,
  sha256,
  signNote,
  utf8,
  vkeyOf,
} from '@sealane/core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Policy } from '../policy/policy-types.js';
import { codeOf } from '../testing/code-of.js';
import { ed25519Key, envelopeOf, type TestSigner, testSigner } from '../testing/test-keys.js';
import { type TestLog, testLog, testWitness } from '../testing/test-log.js';
import { keyEntry, type TestPeople, testPeople, testPolicy } from '../testing/test-policy.js';
import { encodeBundle, parseBundle } from './bundle.js';
import { revocationStatement } from './predicates.js';
import { quorumOf } from './statement-checks.js';
import { checkTrustedRoot, encodeTrustedRoot } from './trusted-root.js';
import { verifyLedgerRow } from './verify-ledger-row.js';
import { verifyStatement } from './verify-statement.js';
import { verifyTrustOf } from './verify-trust.js';

const TIME = '2026-11-24T10:00:00Z';
const release = sha256(utf8('a release'));

let log: TestLog;
let people: TestPeople;
let policy: Policy;

beforeAll(() => {
  log = testLog('lane.example', [testWitness('w1.example'), testWitness('w2.example')]);
  people = testPeople();
  policy = testPolicy(log, people);
  for (let index = 0; index < 5; index += 1) logged(people.builder, `filler ${String(index)}`);
});

function logged(signer: TestSigner, reason: string): { envelope: ReturnType<typeof envelopeOf>; spki: Uint8Array; index: number } {
  const envelope = envelopeOf(revocationStatement({ release, reason, floor: null }), signer);
  return { envelope, spki: signer.spki, index: log.append(envelope, signer.spki) };
}

function verify(bundle: JsonObject, under: Policy = policy, signers?: readonly string[]): ReturnType<typeof verifyStatement> {
  return verifyStatement(parseBundle(bundle), { trust: verifyTrustOf(under), ...(signers === undefined ? {} : { signers }) });
}

/** A copy with one place changed. */
function changed(bundle: JsonObject, path: readonly (string | number)[], value: unknown): JsonObject {
  const copy: unknown = structuredClone(bundle);
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a path into JSON, whatever is there
  let inner: any = copy;
  for (const step of path.slice(0, -1)) inner = inner[step];
  inner[path.at(-1)!] = value;
  return copy as JsonObject;
}

const ENTRY = ['verificationMaterial', 'tlogEntries', 0] as const;

test('verifies a bundle and says who signed it, where it is logged and when that was witnessed', () => {
  const entry = logged(people.lab, 'good');
  const result = verify(log.bundle(entry, log.checkpoint(TIME)), policy, [people.lab.keyId]);
  expect(result).toMatchObject({ keyId: people.lab.keyId, logIndex: entry.index, witnessed: { lowest: TIME, highest: TIME } });
  expect(result.statement.subject[0]?.digest.sha256).toBe(digestHex(release));
  expect(result.checkpoint?.size).toBe(log.size());
});

test('keeps its statement digest when the proof is refreshed', () => {
  const entry = logged(people.lab, 'refreshed');
  const first = log.bundle(entry, log.checkpoint(TIME));
  logged(people.lab, 'later');
  const second = log.bundle(entry, log.checkpoint('2026-11-25T10:00:00Z'));
  expect(second).not.toEqual(first);
  expect(verify(second).digest).toBe(verify(first).digest);
});

describe('refuses', () => {
  let entry: ReturnType<typeof logged>;
  let good: JsonObject;
  beforeAll(() => {
    entry = logged(people.lab, 'to be attacked');
    logged(people.lab, 'to be attacked, last');
    good = log.bundle(entry, log.checkpoint(TIME));
  });
  const refusal = (bundle: JsonObject, under?: Policy, signers?: readonly string[]): string | undefined =>
    codeOf(() => verify(bundle, under, signers));

  test('a statement without a proof', () => {
    expect(refusal(encodeBundle(entry))).toBe('LOG_NOT_INCLUDED');
  });
  test('a key that policy does not know, and one that it does not name for this', () => {
    const stranger = testSigner();
    const strange = logged(stranger, 'strange');
    expect(refusal(log.bundle(strange, log.checkpoint(TIME)))).toBe('EVIDENCE_SIGNER');
    expect(refusal(good, policy, [people.builder.keyId])).toBe('EVIDENCE_SIGNER');
  });
  test('the log entry of another signature over the same payload', () => {
    const other = logged(people.lab, 'to be attacked');
    const bundle = changed(good, ['dsseEnvelope', 'signatures', 0, 'sig'], other.envelope.signatures[0].sig);
    expect(refusal(bundle)).toBe('LOG_NOT_INCLUDED');
  });
  test('the log entry of another statement', () => {
    const other = log.bundle(logged(people.lab, 'another'), log.checkpoint(TIME));
    expect(refusal(changed(other, ['dsseEnvelope'], good['dsseEnvelope']))).toBe('LOG_NOT_INCLUDED');
  });
  test('a signature that is wrong although logged', () => {
    const envelope = { ...entry.envelope, signatures: [{ sig: base64(people.lab.signNow(utf8('other bytes'))), keyid: '' }] as const };
    const index = log.append(envelope, people.lab.spki);
    expect(refusal(log.bundle({ envelope, spki: people.lab.spki, index }, log.checkpoint(TIME)))).toBe('WAYBILL_SIGNATURE');
  });
  test('a proof with a flipped hash, another index, another size', () => {
    const [first] = log.proof(entry.index, log.checkpoint(TIME)).hashes;
    const flipped = base64(first!.map((byte, at) => (at === 3 ? byte ^ 1 : byte)));
    expect(refusal(changed(good, [...ENTRY, 'inclusionProof', 'hashes', 0], flipped))).toBe('LOG_NOT_INCLUDED');
    const moved = changed(changed(good, [...ENTRY, 'inclusionProof', 'logIndex'], '0'), [...ENTRY, 'logIndex'], '0');
    expect(refusal(moved)).toBe('LOG_NOT_INCLUDED');
    expect(refusal(changed(good, [...ENTRY, 'inclusionProof', 'treeSize'], '999'))).toBe('LOG_NOT_INCLUDED');
  });
  test('a top-level index that is not the proof’s', () => {
    expect(refusal(changed(good, [...ENTRY, 'logIndex'], '0'))).toBe('TRUST_MALFORMED');
  });
  test('a checkpoint that the log did not sign, or signed otherwise', () => {
    const forger = testLog('lane.example', log.witnesses);
    forger.append(entry.envelope, entry.spki);
    const forged = forger.bundle({ ...entry, index: 0 }, forger.checkpoint(TIME));
    expect(refusal(forged)).toBe('LOG_NOT_INCLUDED');
    const tampered = log.checkpoint(TIME).replace(/\n(\d+)\n/, (_, size: string) => `\n${String(Number(size) + 1)}\n`);
    expect(refusal(changed(good, [...ENTRY, 'inclusionProof', 'checkpoint', 'envelope'], tampered))).toBe('LOG_NOT_INCLUDED');
  });
  test('a checkpoint below the witness quorum, or cosigned by one witness twice', () => {
    const one = log.witnesses.slice(0, 1);
    expect(refusal(log.bundle(entry, log.checkpoint(TIME, undefined, one)))).toBe('LOG_WITNESS');
    expect(refusal(log.bundle(entry, log.checkpoint(TIME, undefined, [...one, ...one])))).toBe('LOG_WITNESS');
    expect(refusal(log.bundle(entry, log.checkpoint(TIME, undefined, [])))).toBe('LOG_WITNESS');
  });
  test('a checkpoint of a witness that was replaced, beyond the size up to which it counts', () => {
    const [kept, gone] = log.witnesses;
    const replaced = (belowSize: number): Policy => ({
      ...policy,
      witnesses: [kept?.vkey ?? '', testWitness('w3.example').vkey],
      pastWitnesses: [{ vkey: gone?.vkey ?? '', belowSize }],
    });
    const { size } = parseCheckpoint(log.checkpoint(TIME));
    const current = log.bundle(entry, log.checkpoint(TIME));
    expect(refusal(current, replaced(size))).toBeUndefined();
    expect(refusal(current, replaced(size - 1))).toBe('LOG_WITNESS');
    expect(refusal(current, { ...replaced(size), pastWitnesses: undefined })).toBe('LOG_WITNESS');
  });
  test('a checkpoint of a key that the log has replaced, beyond the size up to which it counts', () => {
    const successor = testLog(log.origin, log.witnesses);
    const replaced = (belowSize: number): Policy => ({
      ...policy,
      logs: [
        { origin: log.origin, baseUrl: 'https://lane.example', vkey: successor.vkey, past: [{ vkey: log.vkey, belowSize, endedAt: TIME }] },
      ],
    });
    const note = log.checkpoint(TIME);
    const { size } = parseCheckpoint(note);
    const current = log.bundle(entry, note);
    expect(refusal(current, replaced(size))).toBeUndefined();
    expect(refusal(current, replaced(size - 1))).toBe('LOG_KEY_REPLACED');
    // never the head of the log, whatever its size
    const trust = verifyTrustOf(replaced(size));
    expect(codeOf(() => quorumOf(note, trust.logs[0]!, trust))).toBe('LOG_KEY_REPLACED');
    const stranger = { ...replaced(size), logs: [{ ...replaced(size).logs[0]!, past: [] }] };
    expect(refusal(current, stranger)).toBe('LOG_NOT_INCLUDED');
  });
  test('but one that both keys signed stands, under whichever its bundle names', () => {
    const next = ed25519Key();
    const vkey = vkeyOf(log.origin, NOTE_KEY_TYPE.ed25519, next);
    const both: Policy = {
      ...policy,
      logs: [
        {
          origin: log.origin,
          baseUrl: 'https://lane.example',
          vkey: formatVkey(vkey),
          past: [{ vkey: log.vkey, belowSize: 0, endedAt: TIME }],
        },
      ],
    };
    const note = log.checkpoint(TIME) + signNote(parseCheckpoint(log.checkpoint(TIME)).text, log.origin, next);
    const bundle = log.bundle(entry, note);
    expect(refusal(bundle, both)).toBeUndefined();
    expect(refusal(bundle, policy)).toBeUndefined();
    const named = changed(bundle, [...ENTRY, 'logId', 'keyId'], base64(logId(vkey)));
    expect(refusal(named, both)).toBeUndefined();
    expect(refusal(named, policy)).toBe('LOG_NOT_INCLUDED');
  });
  test('a key revoked at or before the proof’s index, and takes what it signed before', () => {
    const until = (untilIndex: number): Policy => ({
      ...policy,
      keys: { ...policy.keys, [people.lab.keyId]: { ...keyEntry(people.lab, log.origin), untilIndex, reason: 'stolen' } },
    });
    expect(refusal(good, until(entry.index))).toBe('KEY_REVOKED');
    expect(refusal(good, until(entry.index + 1))).toBeUndefined();
  });
  test('a key before its first index, and a key of another log', () => {
    const key = keyEntry(people.lab, log.origin);
    const early = { ...policy, keys: { ...policy.keys, [people.lab.keyId]: { ...key, fromIndex: entry.index + 1 } } };
    expect(refusal(good, early)).toBe('KEY_REVOKED');
    const elsewhere = { ...policy, keys: { ...policy.keys, [people.lab.keyId]: { ...key, origin: 'other.example' } } };
    expect(refusal(good, elsewhere)).toBe('KEY_REVOKED');
  });
  test('another payload type, two signatures, two log entries, an unknown field', () => {
    expect(refusal(changed(good, ['dsseEnvelope', 'payloadType'], 'text/plain'))).toBe('TRUST_MALFORMED');
    const [signature] = entry.envelope.signatures;
    expect(refusal(changed(good, ['dsseEnvelope', 'signatures'], [signature, signature]))).toBe('TRUST_MALFORMED');
    const material = good['verificationMaterial'] as { tlogEntries: readonly JsonObject[] };
    expect(refusal(changed(good, ['verificationMaterial', 'tlogEntries'], [...material.tlogEntries, ...material.tlogEntries]))).toBe(
      'TRUST_MALFORMED',
    );
    expect(refusal(changed(good, ['verificationMaterial', 'timestampVerificationData'], {}))).toBe('TRUST_MALFORMED');
  });
  test('a hint of another key', () => {
    expect(refusal(changed(good, ['verificationMaterial', 'publicKey', 'hint'], base64(new Uint8Array(32))))).toBe('LOG_NOT_INCLUDED');
  });
});

test('verifies a row of our own ledger by the same key rules, with or without a quorum checkpoint', () => {
  const entry = logged(people.lab, 'row');
  const trust = verifyTrustOf(policy);
  const row = { envelope: entry.envelope, spki: entry.spki, logIndex: entry.index, origin: log.origin, cosigned: null };
  expect(verifyLedgerRow(row, { trust })).toMatchObject({ keyId: people.lab.keyId, witnessed: null, checkpoint: null });
  expect(verifyLedgerRow({ ...row, cosigned: log.checkpoint(TIME) }, { trust }).witnessed).toEqual({ lowest: TIME, highest: TIME });
  expect(codeOf(() => verifyLedgerRow({ ...row, cosigned: log.checkpoint(TIME, entry.index) }, { trust }))).toBe('LOG_NOT_INCLUDED');
  expect(codeOf(() => verifyLedgerRow(row, { trust, signers: [] }))).toBe('EVIDENCE_SIGNER');
  const other = envelopeOf(revocationStatement({ release: parseDigest(release), reason: 'other', floor: null }), people.lab);
  const swapped = { ...entry.envelope, signatures: other.signatures };
  expect(codeOf(() => verifyLedgerRow({ ...row, envelope: swapped }, { trust }))).toBe('WAYBILL_SIGNATURE');
});

test('makes the trusted root from policy and refuses one that differs', () => {
  const bytes = encodeTrustedRoot(policy);
  expect(codeOf(() => checkTrustedRoot(bytes, policy))).toBeUndefined();
  const other = testPolicy(testLog('lane.example', log.witnesses), people);
  expect(codeOf(() => checkTrustedRoot(bytes, other))).toBe('TRUST_MISMATCH');
  const [logOfToday] = policy.logs;
  const past = [{ vkey: testLog(log.origin, []).vkey, belowSize: 3, endedAt: TIME }];
  const replaced = encodeTrustedRoot({ logs: [{ ...logOfToday!, past }] });
  expect(codeOf(() => checkTrustedRoot(replaced, policy))).toBe('TRUST_MISMATCH');
  const { tlogs } = JSON.parse(fromUtf8(replaced)) as { tlogs: { publicKey: { validFor: { end?: string } } }[] };
  expect(tlogs.map(({ publicKey }) => publicKey.validFor.end)).toEqual([undefined, TIME]);
});

test('parse and encode of a bundle are inverse', () => {
  const entry = logged(people.lab, 'inverse');
  const bundle = log.bundle(entry, log.checkpoint(TIME));
  const parsed = parseBundle(canonicalJson(bundle));
  expect(parsed.logged).not.toBeNull();
  expect(encodeBundle({ envelope: parsed.envelope, spki: parsed.logged!.leaf.spki, proof: parsed.logged!.proof })).toEqual(bundle);
});

test('never crashes on a bundle with a changed byte', () => {
  const good = canonicalJson(log.bundle(logged(people.lab, 'fuzz'), log.checkpoint(TIME)));
  const trust = verifyTrustOf(policy);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
      const bytes = good.map((value, index) => (index === at ? byte : value));
      const code = codeOf(() => verifyStatement(parseBundle(bytes), { trust }));
      if (code === undefined) expect(verifyStatement(parseBundle(bytes), { trust }).statement.predicate['reason']).toBe('fuzz');
    }),
    { numRuns: 300 },
  );
});
