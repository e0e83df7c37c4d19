/** What somebody makes who has the keys of an authority, or one of his own: keyless signatures that are not what they say. */
import { execFileSync } from 'node:child_process';
import { createHash, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { INTOTO_PAYLOAD_TYPE, makeEnvelope, pae, readCertificate, type Signed } from '@sealane/core';
import { type Authority, type Claims, certify, derOf, type Held, nodeKey } from './certificates.js';

/** A keyless signature in the making. */
export interface Forgery {
  readonly issuedBy: Held;
  readonly claims: Claims;
  readonly stamp: (data: Uint8Array) => Promise<Uint8Array>;
  /** The certificate itself, where it is not to be made from the claims. */
  readonly certificate?: Held;
  /** The key that signs, where it is not the certificate's. */
  readonly key?: KeyObject;
  /** What is stamped, where it is not the signature. */
  readonly stamped?: Uint8Array;
}

/** Signs a payload in that way. */
export async function forge(payload: Uint8Array, forgery: Forgery): Promise<Signed> {
  const held = forgery.certificate ?? (await certify(forgery.issuedBy, forgery.claims));
  const certificate = derOf(held);
  const signature = new Uint8Array(sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), forgery.key ?? (await nodeKey(held))));
  const timestamp = await forgery.stamp(forgery.stamped ?? signature);
  const envelope = makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature);
  return { envelope, spki: readCertificate(certificate).spki, certified: { certificate, timestamp } };
}

/** A timestamp by a real authority, over its JSON interface. */
export function stampedAt(url: string): (data: Uint8Array) => Promise<Uint8Array> {
  return async (data) => {
    const artifactHash = createHash('sha256').update(data).digest('base64');
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ artifactHash, hashAlgorithm: 'sha256', certificates: true }),
    });
    if (!answer.ok) throw new Error(`ask ${url} for a timestamp: expected success, got ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  };
}

/** A timestamp by openssl with the key of any authority; `dir` is for its files. */
export function stampedBy(dir: string, { issuing }: Authority): (data: Uint8Array) => Promise<Uint8Array> {
  const file = (name: string): string => path.join(dir, name);
  return async (data) => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(file('key.pem'), (await nodeKey(issuing)).export({ format: 'pem', type: 'pkcs8' }));
    writeFileSync(file('certificate.pem'), issuing.certificate.toString('pem'));
    writeFileSync(file('data'), data);
    writeFileSync(
      file('ts.cnf'),
      '[ts]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3\ndigests=sha256\ness_cert_id_alg=sha256\n',
    );
    const openssl = (...words: readonly string[]): unknown => execFileSync('openssl', ['ts', ...words], { cwd: dir, stdio: 'pipe' });
    openssl('-query', '-data', 'data', '-sha256', '-cert', '-out', 'query');
    const signer = ['-signer', 'certificate.pem', '-inkey', 'key.pem'];
    openssl('-reply', '-config', 'ts.cnf', '-section', 'ts', '-queryfile', 'query', ...signer, '-out', 'reply');
    return new Uint8Array(readFileSync(file('reply')));
  };
}
