/** `sealane release import`. */
import path from 'node:path';
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { type DockerReference, formatReference, loginsOf, parseReference, type RegistryOptions, withRegistry } from '@sealane/oci';
import type { ExpectedSigner } from '@sealane/trust';
import { KEY } from '../command-parts.js';
import { readNamed } from '../disk-shell.js';
import { optionalText, textArgument, textOption } from '../promoter.js';
import { imageSignature, type SignatureWish } from '../registry/image-signatures.js';
import { componentWish } from '../release/create.js';
import { createReleaseHere } from '../release/create-here.js';

export const command: CommandSpec = {
  name: 'release import',
  summary: 'make a release of an image in a registry that cosign signed, and keep the signature as evidence',
  arguments: [{ name: 'ref', description: '[NAME=]docker://REGISTRY/REPO@DIGEST, or :TAG, which is resolved once' }],
  options: [
    { flags: '--name <name>', description: 'name of the release', required: true },
    { flags: '--version <version>', description: 'version; the same name and version never stand for other bytes', required: true },
    {
      flags: '--certificate-identity <name>',
      description: 'who must have signed: the whole identity in the certificate, letter for letter',
    },
    { flags: '--certificate-oidc-issuer <url>', description: 'the issuer that vouched for the identity' },
    { flags: '--cosign-key <file>', description: 'the public key (PEM) that must have signed, instead of an identity' },
    {
      flags: '--trusted-root <file>',
      description: 'trusted_root.json of the instance that signed; with a key only where its log is to be checked',
    },
    KEY,
  ],
  example: [
    'sealane key export author --home my-lane > vendor.pub',
    'sealane release import docker://registry.example/vendor/readings:stable --name vendor --version 4.2.0 --cosign-key vendor.pub --key author --home my-lane',
  ].join('\n'),
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const wish = componentWish('image', textArgument(call, 0, 'REF'), 'image');
  const asked = parseReference(wish.source);
  if (asked.kind !== 'docker')
    throw new PromoterError(
      'USAGE',
      `import ${wish.source}: expected docker://REGISTRY/REPO, where signatures are attached; use release create for folders and files`,
    );
  const signature = signatureWish(call);
  const { source, found } = await signedImage(asked, signature, { credentials: loginsOf(call.io), signal: call.io.signal });
  const made = await createReleaseHere(call, {
    name: textOption(call, 'name'),
    version: textOption(call, 'version'),
    components: [{ ...wish, source }],
    carried: [{ bundle: found.bundle, source: wish.source }],
  });
  const { signer, logIndexes, timestamps } = found.verified;
  const who = 'keyId' in signer ? `key ${signer.keyId}` : `${signer.identity} (${signer.issuer})`;
  return {
    exit: 0,
    json: { ...made, from: wish.source, source, signature: { signer, logIndexes, timestamps } },
    text: `${made.release}  ${made.name}@${made.version}\n  ${source}\n  signed by ${who}`,
  };
}

/** Resolves a tag once and verifies what is there by digest; nothing is taken in yet. */
async function signedImage(asked: DockerReference, wish: SignatureWish, options: RegistryOptions) {
  return withRegistry(asked.registry, options, async (client) => {
    const { digest } = await client.manifest(asked.repository, asked.wanted);
    const found = await imageSignature(client, asked.repository, digest, wish);
    return { source: formatReference({ ...asked, wanted: digest }), found };
  });
}

/** @throws PromoterError `USAGE` neither an identity with issuer and trusted root, nor a key, or both */
function signatureWish(call: CommandCall): SignatureWish {
  const read = (file: string, what: string): Uint8Array => readNamed(path.resolve(call.io.cwd, file), what);
  const root = optionalText(call, 'trustedRoot');
  const signer = signerOf(call, read);
  if (root !== undefined) return { signer, trustedRoot: read(root, 'trusted root') };
  if (signer.kind === 'key') return { signer };
  throw new PromoterError('USAGE', 'import an image: expected --trusted-root with --certificate-identity, got none');
}

function signerOf(call: CommandCall, read: (file: string, what: string) => Uint8Array): ExpectedSigner {
  const [identity, issuer, key] = [
    optionalText(call, 'certificateIdentity'),
    optionalText(call, 'certificateOidcIssuer'),
    optionalText(call, 'cosignKey'),
  ];
  if (key !== undefined && identity === undefined && issuer === undefined) return { kind: 'key', pem: read(key, 'public key') };
  if (key === undefined && identity !== undefined && issuer !== undefined) return { kind: 'certificate', identity, issuer };
  throw new PromoterError(
    'USAGE',
    'import an image: expected --certificate-identity with --certificate-oidc-issuer, or --cosign-key, and not both',
  );
}
