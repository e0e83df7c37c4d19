/** What is malformed costs nobody a turn: it is read before the publish lock is asked for. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { encodeStatement, keyIdOf, PREDICATE, PromoterError, signStatement, utf8 } from '@sealane/core';
import { encodeBundle } from '@sealane/trust';
import { describe, expect, it } from 'vitest';
import type { RouteContext } from '../route.js';
import { EVIDENCE_ROUTES } from './evidence.js';

/** A bundle by a key of nobody, which only the lane can tell. */
async function bundle(predicateType: string): Promise<Uint8Array> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const signer = {
    keyId: keyIdOf(spki),
    spki,
    sign: (data: Uint8Array) => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey))),
  };
  const subject = [{ name: 'api', digest: { sha256: 'a'.repeat(64) } }];
  const payload = encodeStatement({ subject, predicateType, predicate: {} });
  return utf8(JSON.stringify(encodeBundle(await signStatement(payload, signer))));
}

/** The code with which a route ends; the lock is not to be had. */
async function codeOf(id: string, bytes: Uint8Array): Promise<unknown> {
  const route = EVIDENCE_ROUTES.find((each) => each.id === id);
  const locked = (): Promise<never> => Promise.reject(new PromoterError('SERVICE_BUSY', 'take the lock'));
  const context = { body: () => Promise.resolve(bytes), locked } as unknown as RouteContext;
  return await route?.run({ params: id === 'evidence.add' ? { release: 'api@1.0.0' } : {}, query: {} }, context).then(
    () => 'done',
    (error: unknown) => (error as PromoterError).code,
  );
}

describe.each(['evidence.add', 'statement.add'])('%s', (id) => {
  it('asks for no lock for what is no JSON or no bundle, and for one that it can read', async () => {
    const provenance = await bundle(PREDICATE.provenance);
    expect(await codeOf(id, utf8('['))).toBe('JSON_MALFORMED');
    expect(await codeOf(id, utf8(`[${new TextDecoder().decode(provenance)}, {}]`))).toBe('TRUST_MALFORMED');
    expect(await codeOf(id, provenance)).toBe('SERVICE_BUSY');
  });
});

it('statement.add asks for no lock for a statement that it never takes', async () => {
  expect(await codeOf('statement.add', await bundle(PREDICATE.decision))).toBe('EVIDENCE_SUBJECT');
});
