/** `sealane bundle verify`: a Sigstore bundle of the public instance, a private one or a lane, checked offline. */
import path from 'node:path';
import { isDigest, PromoterError, sha256 } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { type ExpectedSigner, type SignedArtifact, type VerifiedBundle, verifySigstoreBundle } from '@sealane/trust';
import { readNamed } from '../disk-shell.js';
import { optionalText, textArgument, textOption } from '../promoter.js';

export const command: CommandSpec = {
  name: 'bundle verify',
  summary: 'verify a Sigstore bundle offline: signature, signer, log, timestamps, and what it is about',
  arguments: [{ name: 'artifact', description: 'the signed file, or sha256:… of its bytes' }],
  options: [
    { flags: '--bundle <file>', description: 'the bundle (v0.1 to v0.3)', required: true },
    { flags: '--trusted-root <file>', description: 'trusted_root.json of the instance that signed', required: true },
    { flags: '--certificate-identity <name>', description: 'the whole identity in the certificate, letter for letter' },
    { flags: '--certificate-oidc-issuer <url>', description: 'the issuer that vouched for the identity' },
    { flags: '--key <file>', description: 'the public key (PEM), for a bundle signed with a key' },
  ],
  example: [
    'sealane log prove 0 --home my-lane > bundle.json',
    'sealane key export author --home my-lane > author.pub',
    'sealane bundle verify "$(sealane release list --home my-lane | grep readings@1.0.0 | cut -d" " -f1)" --bundle bundle.json --trusted-root my-lane/lane/trust/targets/*.trusted_root.json --key author.pub',
  ].join('\n'),
  run: (call) => Promise.resolve(run(call)),
};

function run(call: CommandCall): CommandResult {
  const read = (option: string, what: string): Uint8Array => readNamed(path.resolve(call.io.cwd, textOption(call, option)), what);
  const signer = signerOf(call, read);
  const verified = verifySigstoreBundle({
    bundle: read('bundle', 'bundle'),
    trustedRoot: read('trustedRoot', 'trusted root'),
    artifact: artifactOf(call),
    signer,
  });
  return { exit: 0, json: { ok: true, ...verified }, text: textOf(verified) };
}

function signerOf(call: CommandCall, read: (option: string, what: string) => Uint8Array): ExpectedSigner {
  const [identity, issuer, key] = [
    optionalText(call, 'certificateIdentity'),
    optionalText(call, 'certificateOidcIssuer'),
    optionalText(call, 'key'),
  ];
  if (key !== undefined && identity === undefined && issuer === undefined) return { kind: 'key', pem: read('key', 'public key') };
  if (key === undefined && identity !== undefined && issuer !== undefined) return { kind: 'certificate', identity, issuer };
  throw new PromoterError(
    'USAGE',
    'run sealane bundle verify: expected --certificate-identity with --certificate-oidc-issuer, or --key, and not both',
  );
}

function artifactOf(call: CommandCall): SignedArtifact {
  const name = textArgument(call, 0, 'ARTIFACT');
  if (isDigest(name)) return { digest: name };
  const bytes = readNamed(path.resolve(call.io.cwd, name), 'artifact');
  return { digest: sha256(bytes), bytes };
}

function textOf({ artifact, predicateType, signer, timestamps }: VerifiedBundle): string {
  const who = 'keyId' in signer ? `key ${signer.keyId}` : `${signer.identity} (${signer.issuer})`;
  const what = predicateType ?? 'signature';
  return [`verified: ${artifact}`, `  ${what}`, `  by ${who}`, ...timestamps.map((time) => `  signed at ${time}`)].join('\n');
}
