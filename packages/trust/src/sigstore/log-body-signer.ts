/**
 * The key or certificate that a log entry names. A proof is of an entry: unless the entry names this bundle's signer, what was logged is
 * somebody else's signature. `@sigstore/verify` compares signature and digest only.
 */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { fromBase64, fromUtf8, type JsonValue, LIMITS, parseStrictJson } from '@sealane/core';
import { refused } from './bundle-error.js';

type Path = readonly (string | number)[];

/** Where each kind of entry says who signed: PEM in base64 (Rekor v1), or DER in base64 as a key or as a certificate (Rekor v2). */
const PEM_AT: Readonly<Record<string, Path>> = {
  'hashedrekord 0.0.1': ['signature', 'publicKey', 'content'],
  'dsse 0.0.1': ['signatures', 0, 'verifier'],
  'intoto 0.0.2': ['content', 'envelope', 'signatures', 0, 'publicKey'],
};
const VERIFIER_AT: Readonly<Record<string, Path>> = {
  'hashedrekord 0.0.2': ['hashedRekordV002', 'signature', 'verifier'],
  'dsse 0.0.2': ['dsseV002', 'signatures', 0, 'verifier'],
};

/**
 * DER of the certificate, or of the public key as SubjectPublicKeyInfo, that a log entry's body names.
 *
 * @throws SealaneError the body is malformed or of a kind that is not known
 */
export function logBodySigner(kind: string, version: string, body: Uint8Array): Uint8Array {
  const spec = at(parseStrictJson(body, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth }), ['spec']);
  const pemAt = lookUp(PEM_AT, `${kind} ${version}`);
  if (pemAt !== undefined) return pemToDer(fromUtf8(fromBase64(textAt(spec, pemAt))));
  const verifierAt = lookUp(VERIFIER_AT, `${kind} ${version}`);
  if (verifierAt === undefined) throw refused('BUNDLE_MALFORMED', 'a log entry of a known kind', `${kind} ${version}`.slice(0, 80));
  const verifier = at(spec, verifierAt);
  const [certificate, key] = [at(verifier, ['x509Certificate', 'rawBytes']), at(verifier, ['publicKey', 'rawBytes'])];
  const der = certificate ?? key;
  if (typeof der !== 'string' || (certificate !== undefined && key !== undefined)) throw notNamed();
  return fromBase64(der);
}

function pemToDer(pem: string): Uint8Array {
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return new Uint8Array(new X509Certificate(pem).raw);
  return new Uint8Array(createPublicKey(pem).export({ format: 'der', type: 'spki' }));
}

function lookUp(table: Readonly<Record<string, Path>>, name: string): Path | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function at(value: JsonValue | undefined, path: Path): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((inner, step) => {
    if (isList(inner)) return typeof step === 'number' ? inner[step] : undefined;
    if (typeof inner !== 'object' || inner === null || typeof step === 'number' || !Object.hasOwn(inner, step)) return undefined;
    return inner[step];
  }, value);
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function textAt(value: JsonValue | undefined, path: Path): string {
  const text = at(value, path);
  if (typeof text !== 'string') throw notNamed();
  return text;
}

function notNamed(): Error {
  return refused('BUNDLE_MALFORMED', 'a log entry that names one signer', 'none, or two');
}
