/** Certificates that no chain check refuses, put into true bundles of the public instance (SEALANE_FOREIGN_VECTORS). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { sha256, utf8 } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { certificateAuthority, certify, derOf } from '../../../../test/support/certificates.js';
import { foreignVectors } from '../../../../test/support/foreign.js';
import { verifySigstoreBundle } from './verify-bundle.js';

interface Certificate {
  rawBytes: string;
}

interface Authority {
  readonly certChain: { readonly certificates: readonly Certificate[] };
}

interface Bundle {
  verificationMaterial: { certificate?: Certificate; x509CertificateChain?: { certificates: Certificate[] }; tlogEntries: object[] };
}

const foreign = foreignVectors();
const folder = path.join(foreign ?? '', 'sigstore');
const read = (name: string): Buffer => readFileSync(path.join(folder, name));
const IDENTITY =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';

const ISSUER = 'https://token.actions.githubusercontent.com';

/** Asks about the usual artifact with a bundle that was bent. */
function ask(name: string, bend: (bundle: Bundle) => unknown, trustedRoot = read('production-trusted_root.json')): () => unknown {
  const bundle = JSON.parse(read(`bundle-verify/${name}/bundle.sigstore.json`).toString()) as Bundle;
  bend(bundle);
  const bytes = read('bundle-verify/a.txt');
  const signer = { kind: 'certificate', identity: IDENTITY, issuer: ISSUER } as const;
  return () =>
    verifySigstoreBundle({
      bundle: utf8(JSON.stringify(bundle)),
      trustedRoot,
      artifact: { digest: sha256(bytes), bytes },
      signer,
    });
}

describe.skipIf(foreign === undefined)('the certificate of a bundle (skipped without SEALANE_FOREIGN_VECTORS)', () => {
  const root =
    foreign === undefined
      ? undefined
      : (JSON.parse(read('production-trusted_root.json').toString()) as {
          readonly certificateAuthorities: readonly Authority[];
          readonly timestampAuthorities: readonly Authority[];
        });
  const chainOf = (authorities: readonly Authority[] | undefined): readonly Certificate[] =>
    authorities?.at(-1)?.certChain.certificates ?? [];

  it('is taken as the public instance issued it', () => {
    expect(ask('happy-path-v0.3', () => undefined)()).toMatchObject({ signer: { identity: IDENTITY } });
    expect(ask('happy-path-v0.1', () => undefined)()).toMatchObject({ signer: { identity: IDENTITY } });
  });

  it('is that of an authority, or of one that stamps times: refused, it does not sign code', () => {
    const others = [...chainOf(root?.certificateAuthorities), ...chainOf(root?.timestampAuthorities)];
    expect(others.length).toBeGreaterThan(2);
    for (const certificate of others) {
      const call = ask('happy-path-v0.3', ({ verificationMaterial }) => (verificationMaterial.certificate = certificate));
      expect(call).toThrow(
        expect.objectContaining({
          code: 'BUNDLE_SIGNER',
          message: expect.stringContaining('a certificate that signs code') as string,
        }) as Error,
      );
    }
  });

  it('has a name with the highest bit of a byte set, which reads as another name to who drops it: refused', () => {
    // openssl req -x509, extendedKeyUsage=codeSigning, subjectAltName URI of the bytes `https://git.example/` and 0xed, which is `m` with that bit
    const rawBytes =
      'MIIBfjCCASWgAwIBAgIUZexHoeqblyumeGfosM4jpMH7U2wwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjkyMDAyMTRaGA8yMTI2MTEwNTIw' +
      'MDIxNFowDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDkmvOevEsS/jHyyvkO6AyHLXx9PGgY8Tp4CjLLYpM6phIsv1bcu436CsaJA' +
      'V4GjqXHMkcpQokcsTCI0nM0CM8CjYzBhMBMGA1UdJQQMMAoGCCsGAQUFBwMDMAkGA1UdEwQCMAAwIAYDVR0RBBkwF4YVaHR0cHM6Ly9naXQuZXhhbXBsZS/t' +
      'MB0GA1UdDgQWBBTVgz2Ivl05Bee4dEmaS0bHZjH6UTAKBggqhkjOPQQDAgNHADBEAiAEdNX77u7cEMB40yyiUGmVKY+dlI3T3yQoWf+iub6HeAIgH5BvmUXY' +
      'k4wTY053hTWzgYsD+OwbzeAxQSUR7D0vpg0=';
    const call = ask('happy-path-v0.3', ({ verificationMaterial }) => (verificationMaterial.certificate = { rawBytes }));
    expect(call).toThrow(
      expect.objectContaining({
        code: 'BUNDLE_SIGNER',
        message: expect.stringContaining('a subject alternative name in printable ASCII') as string,
      }) as Error,
    );
  });

  it.each([
    ['two names, of which readers take one or the other', { names: [IDENTITY, 'mallory@example.org'] }, 'one subject alternative name'],
    ['an issuer that reads as another to who drops a bit of each byte', { issuer: `${ISSUER}\u00ed` }, 'an issuer in printable ASCII'],
    ['an issuer in the old extension and another in the new one', { bareIssuer: 'https://issuer.example' }, 'one issuer, got two'],
    [
      'a critical extension that nobody knows',
      { unknown: '1.2.3.4' },
      'certificates whose critical extensions are known, got extension 1.2.3.4',
    ],
    ['no issuer as UTF8String', { issuerTag: 0x16 }, 'an issuer as UTF8String'],
  ])('has %s: refused', async (_what, claims, message) => {
    const { issuing } = await certificateAuthority('Fulcio');
    const rawBytes = Buffer.from(derOf(await certify(issuing, { identity: IDENTITY, issuer: ISSUER, ...claims }))).toString('base64');
    const call = ask('happy-path-v0.3', ({ verificationMaterial }) => (verificationMaterial.certificate = { rawBytes }));
    expect(call).toThrow(expect.objectContaining({ code: 'BUNDLE_SIGNER', message: expect.stringContaining(message) as string }) as Error);
  });

  it('brings its own root along: refused', () => {
    const own = chainOf(root?.certificateAuthorities).at(-1);
    if (own === undefined) throw new RangeError('read the trusted root: expected a certificate');
    const call = ask('happy-path-v0.1', ({ verificationMaterial: { x509CertificateChain } }) =>
      x509CertificateChain?.certificates.push(own),
    );
    expect(call).toThrow(
      expect.objectContaining({
        code: 'BUNDLE_MALFORMED',
        message: expect.stringContaining('a chain without its root') as string,
      }) as Error,
    );
  });

  it('is no certificate: refused', () => {
    const call = ask('happy-path-v0.3', ({ verificationMaterial }) => (verificationMaterial.certificate = { rawBytes: 'AAAA' }));
    expect(call).toThrow(expect.objectContaining({ code: 'BUNDLE_MALFORMED' }) as Error);
  });

  it('is proved by a log only while the key of that log counts, also where the log signed no time', () => {
    const name = 'rekor2-happy-path';
    const text = read(`bundle-verify/${name}/trusted_root.json`).toString();
    const withEnd = (end: string): Buffer => {
      const changed = JSON.parse(text) as { tlogs: { publicKey: { validFor: { end?: string } } }[] };
      for (const log of changed.tlogs) log.publicKey.validFor.end = end;
      return Buffer.from(JSON.stringify(changed));
    };
    // witnessed by a timestamp authority at 2025-06-12T12:02:20Z
    expect(ask(name, () => undefined, withEnd('2025-06-12T12:02:20Z'))()).toMatchObject({ timestamps: ['2025-06-12T12:02:20.000Z'] });
    const late = withEnd('2025-06-12T12:02:19Z');
    expect(ask(name, () => undefined, late)).toThrow('expected a log whose key was valid at the signed time');
    // a time that nobody signed, beside the proof: 2025-06-12T12:00:00Z
    const timed = (bundle: Bundle): unknown =>
      Object.assign(bundle.verificationMaterial.tlogEntries[0] ?? {}, { integratedTime: '1749729600' });
    expect(ask(name, timed, late)).toThrow('expected a log whose key was valid at the signed time');
  });
});
