import { beforeAll, expect, test } from 'vitest';
import { type Authority, certificateAuthority, certify, derOf } from '../../../test/support/certificates.js';
import { refusal } from '../../../test/support/refusal.js';
import { identityIdOf, isTimestampBy, readCertificate, timestampTimeMs } from './certificate.js';

const ALICE = { identity: 'alice@example.org', issuer: 'https://accounts.example' };
let ca: Authority;

beforeAll(async () => {
  ca = await certificateAuthority('Fulcio');
});

test('a certificate says who, by whose word, with which key and until when', async () => {
  const from = new Date('2026-11-28T10:00:00Z');
  const read = readCertificate(derOf(await certify(ca.issuing, { ...ALICE, from })));
  expect(read).toMatchObject({ ...ALICE, notBeforeMs: from.getTime(), notAfterMs: from.getTime() + 600_000 });
  expect(read.spki).toHaveLength(91);
  const job = 'https://github.com/acme/readings/.github/workflows/release.yml@refs/heads/main';
  expect(readCertificate(derOf(await certify(ca.issuing, { ...ALICE, identity: job }))).identity).toBe(job);
});

test('an identity’s id is of both its parts, and of nothing that runs together', () => {
  const ids = [
    ALICE,
    { ...ALICE, identity: 'bob@example.org' },
    { ...ALICE, issuer: 'https://other.example' },
    { identity: ALICE.issuer, issuer: ALICE.identity },
  ];
  expect(new Set(ids.map(identityIdOf)).size).toBe(ids.length);
});

test('what has more than one reading is no certificate of a signer', async () => {
  const cases: readonly (readonly [string, Parameters<typeof certify>[1]])[] = [
    ['two names', { ...ALICE, names: ['alice@example.org', 'bob@example.org'] }],
    ['no name', { ...ALICE, names: [] }],
    ['an issuer with a line break', { ...ALICE, issuer: 'https://accounts.example\nx' }],
    ['an issuer outside ASCII, which a reader of seven bits takes for another', { ...ALICE, issuer: 'https://\u00e1ccounts.example' }],
    ['an empty issuer', { ...ALICE, issuer: '' }],
  ];
  for (const [what, claims] of cases) {
    const der = derOf(await certify(ca.issuing, claims));
    expect(
      refusal(() => readCertificate(der)),
      what,
    ).toBe('CERTIFICATE_MALFORMED');
  }
});

test('bytes behind a certificate, an authority’s own, and bytes that are none are refused', async () => {
  const good = derOf(await certify(ca.issuing, ALICE));
  const behind = new Uint8Array([...good, 0]);
  for (const der of [
    behind,
    good.subarray(0, -1),
    derOf(ca.issuing),
    new Uint8Array(),
    new Uint8Array(20_000),
    new Uint8Array([0x30, 0x80, 0, 0]),
  ])
    expect(refusal(() => readCertificate(der))).toBe('CERTIFICATE_MALFORMED');
});

test('a timestamp that cannot be read has no time and is nobody’s', () => {
  for (const token of [new Uint8Array(), new Uint8Array([0x30, 0x03, 0x02, 0x01, 0x00])]) {
    expect(timestampTimeMs(token)).toBeUndefined();
    expect(isTimestampBy(token, new Uint8Array(3), new Uint8Array(91))).toBe(false);
  }
});
