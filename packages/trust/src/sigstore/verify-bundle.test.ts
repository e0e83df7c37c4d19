/** What `@sigstore/verify` leaves to its caller, tried on bundles of a lane of ours; certificates are tried on the public suite's bundles. */
import { canonicalJson, type JsonObject, sha256, utf8 } from '@sealane/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { derOf, selfSigned } from '../../../../test/support/certificates.js';
import { refusal } from '../../../../test/support/refusal.js';
import { trustedRootFromPolicy } from '../evidence/trusted-root.js';
import { AdmitLane } from '../testing/admit-lane.js';
import { envelopeOf, testSigner } from '../testing/test-keys.js';
import { testLog } from '../testing/test-log.js';
import { type BundleQuestion, verifySigstoreBundle } from './verify-bundle.js';

interface Bent {
  verificationMaterial: { publicKey: { hint: string }; tlogEntries: Record<string, unknown>[] };
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

let lane: AdmitLane;
let bundles: readonly JsonObject[];
beforeAll(async () => {
  lane = await new AdmitLane().passed();
  bundles = [...lane.bundles.values()];
});

/** The author's bundle about the release, bent and asked about as `change` says. */
function ask(bend: (bundle: Bent) => unknown = () => undefined, change: Partial<BundleQuestion> = {}): BundleQuestion {
  const bundle = structuredClone(bundles[0]) as unknown as Bent;
  bend(bundle);
  return {
    bundle: canonicalJson(bundle as unknown as JsonObject),
    trustedRoot: canonicalJson(trustedRootFromPolicy(lane.policy)),
    artifact: { digest: lane.release },
    signer: { kind: 'key', pem: utf8(lane.people.author.pem) },
    ...change,
  };
}

const codeOf = (question: BundleQuestion): string | undefined => refusal(() => verifySigstoreBundle(question));

it('verifies a bundle of a lane by the trusted root of that lane, by digest and by bytes', () => {
  const { author } = lane.people;
  expect(verifySigstoreBundle(ask())).toEqual({
    artifact: lane.release,
    predicateType: 'urn:sealane:release:v1',
    signer: { keyId: author.keyId },
    logIndexes: ['0'],
    timestamps: [],
  });
  const bytes = lane.blobs.get(lane.release) ?? new Uint8Array();
  expect(verifySigstoreBundle(ask(undefined, { artifact: { digest: sha256(bytes), bytes } })).artifact).toBe(lane.release);
});

it('tells no time that nobody signed: a log signs that of an entry with its promise, which a proof is not', () => {
  const forged = ask(({ verificationMaterial }) =>
    Object.assign(verificationMaterial.tlogEntries[0] ?? {}, { integratedTime: '1764000000' }),
  );
  expect(verifySigstoreBundle(forged).timestamps).toEqual([]);
});

describe('what it is about', () => {
  it('is another artifact, or a statement that does not name it by SHA-256: refused', () => {
    expect(codeOf(ask(undefined, { artifact: { digest: sha256(utf8('other')) } }))).toBe('BUNDLE_SUBJECT');
  });

  it('is no in-toto statement, though well signed and logged: refused', () => {
    const payload = utf8('{"subject":[]}');
    const envelope = envelopeOf(payload, lane.people.author);
    const log = testLog(lane.log.origin, lane.witnesses);
    const index = log.append(envelope, lane.people.author.spki);
    const bundle = canonicalJson(log.bundle({ envelope, spki: lane.people.author.spki, index }, log.checkpoint('2026-11-24T10:00:00Z')));
    expect(codeOf(ask(undefined, { bundle }))).toBe('BUNDLE_MALFORMED');
  });

  it('was signed as another type: refused', () => {
    expect(codeOf(ask(({ dsseEnvelope }) => (dsseEnvelope.payloadType = 'text/plain')))).toBe('BUNDLE_MALFORMED');
  });
});

describe('who signed it', () => {
  it('is another key than was asked for: refused', () => {
    expect(codeOf(ask(undefined, { signer: { kind: 'key', pem: utf8(testSigner().pem) } }))).toBe('BUNDLE_UNVERIFIED');
    expect(
      codeOf(ask(undefined, { signer: { kind: 'key', pem: utf8('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n') } })),
    ).toBe('BUNDLE_SIGNER');
  });

  it('is a key where a certificate was asked for: refused', () => {
    expect(codeOf(ask(undefined, { signer: { kind: 'certificate', identity: 'a', issuer: 'b' } }))).toBe('BUNDLE_SIGNER');
  });

  it('is not whom the log entry names: refused', () => {
    // the same signature, logged under a key that somebody else chose
    const other = testSigner();
    const envelope = envelopeOf(Buffer.from((bundles[0] as unknown as Bent).dsseEnvelope.payload, 'base64'), lane.people.author);
    const log = testLog(lane.log.origin, lane.witnesses);
    const index = log.append(envelope, other.spki);
    const bundle = canonicalJson(log.bundle({ envelope, spki: other.spki, index }, log.checkpoint('2026-11-24T10:00:00Z')));
    const trustedRoot = canonicalJson(
      trustedRootFromPolicy({ logs: [{ origin: log.origin, baseUrl: `https://${log.origin}`, vkey: log.vkey }] }),
    );
    const question = ask(undefined, { bundle, trustedRoot });
    expect(() => verifySigstoreBundle(question)).toThrow('expected a log entry of this signer, got one of another');
  });
});

describe('the log', () => {
  it.each<[string, (bundle: Bent) => unknown, string]>([
    ['has no entry', ({ verificationMaterial }) => (verificationMaterial.tlogEntries = []), 'BUNDLE_MALFORMED'],
    [
      'has the entry of another statement',
      ({ verificationMaterial }) =>
        (verificationMaterial.tlogEntries = structuredClone(bundles[1] as unknown as Bent).verificationMaterial.tlogEntries),
      'BUNDLE_UNVERIFIED',
    ],
    [
      'counts one entry twice',
      ({ verificationMaterial: { tlogEntries } }) => tlogEntries.push(...structuredClone(tlogEntries)),
      'BUNDLE_UNVERIFIED',
    ],
    [
      'is one that the trusted root does not name',
      ({ verificationMaterial: { tlogEntries } }) =>
        tlogEntries[0] && (tlogEntries[0].logId = { keyId: Buffer.alloc(32).toString('base64') }),
      'BUNDLE_UNVERIFIED',
    ],
  ])('%s: refused', (_, bend, code) => {
    expect(codeOf(ask(bend))).toBe(code);
  });
});

it.each(['application/vnd.dev.sigstore.bundle.v0.9+json', 'application/vnd.dev.sigstore.bundle+json;version=0.4', 'application/json', ''])(
  'a bundle of version %j has no meaning: refused',
  (mediaType) => {
    expect(codeOf(ask((bundle) => Object.assign(bundle, { mediaType })))).toBe('BUNDLE_MALFORMED');
  },
);

describe('a signature', () => {
  it('is not that of these bytes, or in another spelling of base64: refused', () => {
    const signed = structuredClone(bundles[1] as unknown as Bent);
    expect(codeOf(ask(({ dsseEnvelope }) => (dsseEnvelope.signatures = signed.dsseEnvelope.signatures)))).toBe('BUNDLE_UNVERIFIED');
    expect(codeOf(ask(({ dsseEnvelope: { signatures } }) => signatures[0] && (signatures[0].sig = `${signatures[0].sig}\n`)))).toBe(
      'BUNDLE_MALFORMED',
    );
    expect(codeOf(ask(({ dsseEnvelope: { signatures } }) => signatures.push(...signatures)))).toBe('BUNDLE_MALFORMED');
  });
});

describe('the trusted root', () => {
  const withLog = (change: (log: Record<string, unknown>) => unknown): BundleQuestion => {
    const root = structuredClone(trustedRootFromPolicy(lane.policy)) as unknown as { tlogs: Record<string, unknown>[] };
    for (const log of root.tlogs) change(log);
    return ask(undefined, { trustedRoot: canonicalJson(root as unknown as JsonObject) });
  };
  const publicKey = (log: Record<string, unknown>): Record<string, unknown> => log.publicKey as Record<string, unknown>;

  it.each<[string, (log: Record<string, unknown>) => unknown]>([
    ['does not say from when a log counts', (log) => delete publicKey(log).validFor],
    ['says only until when a log counts', (log) => (publicKey(log).validFor = { end: '2030-01-01T00:00:00Z' })],
    ['says null for from when', (log) => (publicKey(log).validFor = { start: null })],
    ['names a day that does not exist', (log) => (publicKey(log).validFor = { start: '2026-02-30T00:00:00Z' })],
    ['ends before it begins', (log) => (publicKey(log).validFor = { start: '2026-02-02T00:00:00Z', end: '2026-02-01T00:00:00Z' })],
    ['has a log without a key', (log) => delete log.publicKey],
  ])('%s: refused', (_, change) => {
    expect(codeOf(withLog(change))).toBe('TRUST_MALFORMED');
  });

  it('is of another format, says a key twice, or is no JSON: refused', () => {
    for (const text of ['{"mediaType":"application/json"}', '{"mediaType":1,"mediaType":2}', '{']) {
      expect(codeOf(ask(undefined, { trustedRoot: utf8(text) }))).toBe('TRUST_MALFORMED');
    }
  });

  it('is that of another lane: refused', () => {
    const other = testLog(lane.log.origin, lane.witnesses);
    const trustedRoot = canonicalJson(
      trustedRootFromPolicy({ logs: [{ origin: other.origin, baseUrl: `https://${other.origin}`, vkey: other.vkey }] }),
    );
    expect(codeOf(ask(undefined, { trustedRoot }))).toBe('BUNDLE_UNVERIFIED');
  });
});

describe('an authority in the trusted root', () => {
  const withAuthority = async (asks: { oid: string; isCritical: boolean } | undefined, field: string): Promise<BundleQuestion> => {
    const held = await selfSigned('CN=authority', asks === undefined ? {} : { asks });
    const rawBytes = Buffer.from(derOf(held)).toString('base64');
    const authority = { certChain: { certificates: [{ rawBytes }] }, validFor: { start: '2020-01-01T00:00:00Z' } };
    return ask(undefined, { trustedRoot: canonicalJson({ ...trustedRootFromPolicy(lane.policy), [field]: [authority] }) });
  };

  it.each(['certificateAuthorities', 'timestampAuthorities'])('of %s that asks for nothing unknown is taken', async (field) => {
    const plain = [undefined, { oid: '1.2.3.4', isCritical: false }];
    for (const asks of plain) expect(verifySigstoreBundle(await withAuthority(asks, field)).artifact).toBe(lane.release);
  });

  it.each([
    ['certificateAuthorities', 'name constraints', { oid: '2.5.29.30', isCritical: true }],
    ['certificateAuthorities', 'name constraints that are not critical', { oid: '2.5.29.30', isCritical: false }],
    ['certificateAuthorities', 'a critical extension that nobody knows', { oid: '1.2.3.4', isCritical: true }],
    ['timestampAuthorities', 'a critical extension that nobody knows', { oid: '1.2.3.4', isCritical: true }],
  ])('of %s with %s is refused: nothing holds a name to it', async (field, _what, asks) => {
    const question = await withAuthority(asks, field);
    expect(() => verifySigstoreBundle(question)).toThrow(
      expect.objectContaining({
        code: 'BUNDLE_UNVERIFIED',
        message: expect.stringContaining(`extension ${asks.oid} of "CN=authority"`) as string,
      }) as Error,
    );
  });
});
