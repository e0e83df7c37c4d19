import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PromoterError } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { sealCosignKey } from '../signers/cosign-key.js';
import { chooseKeys, type KeyFile } from './key-files.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const plain = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const open = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const sealed = sealCosignKey(new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' })), Buffer.from('horse'), (size) =>
  randomBytes(size),
);
const example = readFileSync(new URL('../../../../keys-example/prod.pem', import.meta.url), 'utf8');
const OWN = { isExample: false };

const file = (name: string, text: string): KeyFile => ({ name: `keys/${name}`, bytes: Buffer.from(text) });

describe('chooseKeys', () => {
  it.each([
    ['a public half', file('prod.pub.pem', open)],
    ['a reference with its public half', file('prod.keyref', `pkcs11:token=t;object=prod\n${open}`)],
    ['an encrypted key', file('prod.pem', sealed)],
    ['an encrypted key with its public half', file('prod.pem', `${sealed}${open}`)],
  ])('takes %s', (_, taken) => {
    expect(chooseKeys([taken], 'sealed-keys', OWN)).toEqual({ taken: [taken], leftOut: [] });
  });

  it.each([
    ['a private key', file('prod.pem', plain)],
    ['a private key that is called a public half', file('prod.pub.pem', `${open}${plain}`)],
    ['a private key behind an encrypted one', file('prod.pem', `${sealed}${plain}`)],
    ['a private key in a reference', file('prod.keyref', `exec:helper\n${plain}`)],
    ['a passphrase', file('passphrase', 'correct horse\n')],
    ['a passphrase in a reference', file('prod.keyref', 'correct horse\n')],
    ['an empty file', file('prod.pem', '')],
    ['an example key in a lane of own keys', file('prod.pem', example)],
  ])('refuses %s, and leaves it out where that is wished', (_, secret) => {
    const refused = (): unknown => chooseKeys([file('ok.pub.pem', open), secret], 'sealed-keys', OWN);
    expect(refused).toThrow(PromoterError);
    expect(refused).toThrow(expect.objectContaining({ code: 'KEY_UNSEALED', data: { names: [secret.name] } }) as Error);
    expect(chooseKeys([secret], 'no-keys', OWN)).toEqual({ taken: [], leftOut: [secret.name] });
  });

  it('takes what was revoked, also where keys are left out; nothing else passes by that name', () => {
    const revoked = file('revoked.json', JSON.stringify([{ keyId: 'a'.repeat(64), untilIndex: 7, reason: 'stolen' }]));
    for (const wish of ['sealed-keys', 'no-keys'] as const)
      expect(chooseKeys([revoked], wish, OWN)).toEqual({ taken: [revoked], leftOut: [] });
    for (const text of [plain, '[]x', '{}', `[{"keyId":"${'a'.repeat(64)}","untilIndex":7,"reason":"stolen","seed":"horse"}]`])
      expect(() => chooseKeys([file('revoked.json', text)], 'sealed-keys', OWN)).toThrow(PromoterError);
    expect(() => chooseKeys([{ ...revoked, name: 'keys/other.json' }], 'sealed-keys', OWN)).toThrow(PromoterError);
  });

  it('takes example keys in an example lane', () => {
    expect(chooseKeys([file('prod.pem', example)], 'sealed-keys', { isExample: true }).leftOut).toEqual([]);
  });

  it('leaves encrypted keys out too where that is wished, and keeps what is no secret', () => {
    const [a, b] = [file('prod.keyref', `exec:helper\n${open}`), file('prod.pub.pem', open)];
    expect(chooseKeys([a, file('dev.pem', sealed), b], 'no-keys', OWN)).toEqual({ taken: [a, b], leftOut: ['keys/dev.pem'] });
  });
});
