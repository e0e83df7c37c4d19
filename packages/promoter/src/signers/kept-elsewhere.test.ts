/** Keys that are encrypted or kept elsewhere: what their formats take, what a helper may do, and that a name means the key that it says. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { verifyP256 } from '@sealane/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isCosignKey, openCosignKey, sealCosignKey } from './cosign-key.js';
import { execSigner, type HelperPlace } from './exec-signer-shell.js';
import { createKeyFile, publicPem } from './key-file.js';
import type { KeyPlace } from './key-place.js';
import { signerAt } from './key-ref.js';
import { writeKeyReference } from './key-reference-file.js';
import { nextPublicHalf, settleKeys, signerById, storedKeys } from './key-store.js';
import { makeKey } from './make-key.js';
import { parsePkcs11Uri } from './pkcs11-uri.js';

let dir: string;
let place: KeyPlace;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-kept-'));
  const home = { keys: path.join(dir, 'keys'), owners: path.join(dir, 'owners') };
  mkdirSync(home.keys);
  place = { home, env: { PATH: process.env['PATH'], COSIGN_PASSWORD: 'open sesame' }, cwd: dir, isExampleLane: false };
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const secret = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const keyFile = (name: string): string => path.join(place.home.keys, `${name}.pem`);

describe('a key as cosign encrypts it', () => {
  const der = (): Uint8Array =>
    new Uint8Array(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'der' }));

  it('opens by its passphrase only, and both passphrases are wiped', () => {
    const plain = der();
    const [first, second] = [secret('one'), secret('one')];
    const pem = sealCosignKey(plain, first, randomBytes);
    expect(isCosignKey(pem)).toBe(true);
    expect(openCosignKey(pem, second, 'k')).toEqual(plain);
    expect([...first, ...second].every((byte) => byte === 0)).toBe(true);
    expect(() => openCosignKey(pem, secret('two'), 'k')).toThrow(expect.objectContaining({ code: 'KEY_LOCKED' }));
  });

  it('is damaged by any changed byte, and asks for no more work than cosign’s own', () => {
    const pem = sealCosignKey(der(), secret('one'), randomBytes);
    const bent = (change: (sealed: Record<string, Record<string, unknown>>) => void): string => {
      const body = pem.split('\n').slice(1, -2).join('');
      const sealed = JSON.parse(Buffer.from(body, 'base64').toString()) as Record<string, Record<string, unknown>>;
      change(sealed);
      return pem.replace(/\n[\s\S]*\n(?=-----END)/, `\n${Buffer.from(JSON.stringify(sealed)).toString('base64')}\n`);
    };
    const cases: readonly (readonly [string, string])[] = [
      [bent((sealed) => Object.assign((sealed['kdf'] as { params: object }).params, { N: 2 ** 30 })), 'KEY_MALFORMED'],
      [bent((sealed) => Object.assign(sealed['kdf'] ?? {}, { name: 'none' })), 'KEY_MALFORMED'],
      [bent((sealed) => Object.assign(sealed['cipher'] ?? {}, { nonce: 'AAAA' })), 'KEY_MALFORMED'],
      [bent((sealed) => Object.assign(sealed, { more: 1 })), 'KEY_MALFORMED'],
      [bent((sealed) => Object.assign(sealed, { ciphertext: Buffer.alloc(160).toString('base64') })), 'KEY_LOCKED'],
    ];
    for (const [text, code] of cases) expect(() => openCosignKey(text, secret('one'), 'k')).toThrow(expect.objectContaining({ code }));
  });

  it('signs by its name; its public half needs no passphrase', async () => {
    const { id, spki } = createKeyFile(keyFile('carol'), 'p256', () => secret('open sesame'));
    expect(readFileSync(keyFile('carol'), 'utf8')).not.toContain('BEGIN PRIVATE KEY');
    expect(storedKeys(place.home)).toMatchObject([{ name: 'carol', id, half: 'private', keptIn: 'encrypted file' }]);
    expect(nextPublicHalf({ ...place.home }, 'carol')).toEqual(spki);
    const signer = await signerAt('carol', place);
    expect(verifyP256(spki, secret('data'), await signer.sign(secret('data')))).toBe(true);
    await expect(signerAt('carol', { ...place, env: {} })).rejects.toMatchObject({ code: 'KEY_LOCKED' });
  });

  it('is not made without a passphrase: what was asked for is named, and no key is left in plain', async () => {
    const keeping = { isEncrypted: true, heldBy: undefined };
    await expect(makeKey(path.join(place.home.keys, 'carol'), 'p256', keeping, { ...place, env: {} })).rejects.toMatchObject({
      code: 'KEY_LOCKED',
      message: expect.stringMatching(/^encrypt a new key carol: expected its passphrase in the file that SEALANE_PASSWORD_FILE names/),
    });
    expect(storedKeys(place.home)).toEqual([]);
  });

  it('without its public half names the file that is missing one, and takes it from NAME.pub.pem', () => {
    const { spki } = createKeyFile(keyFile('carol'), 'p256', () => secret('x'));
    const pem = readFileSync(keyFile('carol'), 'utf8');
    writeFileSync(keyFile('carol'), pem.slice(0, pem.indexOf('-----BEGIN PUBLIC')));
    expect(() => storedKeys(place.home)).toThrow(expect.objectContaining({ code: 'KEY_MALFORMED' }));
    writeFileSync(path.join(place.home.keys, 'carol.pub.pem'), publicPem(spki));
    expect(storedKeys(place.home).map(({ half }) => half)).toEqual(['private', 'public']);
  });
});

describe('a PKCS#11 URI', () => {
  it('is read as RFC 7512 writes it', () => {
    const text =
      'token=My%20token;manufacturer=A%3BB;slot-id=7;object=prod%2F1;id=%00%ff;type=private?module-path=/m.so&pin-source=file:///run/pin';
    expect(parsePkcs11Uri(text)).toEqual({
      token: { token: 'My token', manufacturer: 'A;B' },
      slotId: 7,
      object: 'prod/1',
      id: Uint8Array.of(0, 255),
      modulePath: '/m.so',
      pinFile: '/run/pin',
    });
    expect(parsePkcs11Uri('object=a?pin-source=/p')).toMatchObject({ pinFile: '/p', token: {} });
  });

  it.each([
    ...['', 'token=a', 'object=', 'object=a;object=b', 'object=a;colour=red', 'object=a;type=public', 'object=%zz', 'object=%ff'],
    ...['object=a;slot-id=x', 'object=a?pin-value=1234', 'object=a?module-name=m', 'object=a?module-path=m.so', 'object=a?pin-source=|cat'],
    ...['object=a?pin-source=/a?b', 'object', 'object=a?module-path=%00'],
  ])('%j is refused, and not quoted', (text) => {
    expect(() => parsePkcs11Uri(text)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('1234') }));
  });
});

describe('a helper program', () => {
  /** Node itself as the helper: `code` sees the request as `request`. */
  function helper(code: string): string {
    const file = path.join(dir, 'helper.mjs');
    writeFileSync(
      file,
      `import crypto from 'node:crypto'; import fs from 'node:fs';\nconst request = JSON.parse(fs.readFileSync(0, 'utf8'));\n${code}\n`,
    );
    return `${process.execPath} ${file}`;
  }
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const spki = new Uint8Array(key.publicKey.export({ type: 'spki', format: 'der' }));
  const say = (value: string): string => `process.stdout.write(JSON.stringify(${value}));`;
  const PUBLIC = `if (request.request === 'public-key') ${say(`{ publicKey: ${JSON.stringify(publicPem(spki))} }`)}`;
  const answering = (signature: string): string => helper(`${PUBLIC} else ${say(signature)}`);

  it('signs what it is given, and nothing else of it is believed', async () => {
    const message = secret('a statement');
    const good = `{ signature: crypto.sign('sha256', Buffer.from(request.message, 'base64'), ${JSON.stringify(pem)}).toString('base64') }`;
    const signer = await execSigner(answering(good), place);
    expect(signer.spki).toEqual(spki);
    expect(verifyP256(spki, message, await signer.sign(message))).toBe(true);
  });

  it.each([
    ['a signature over other bytes', `{ signature: crypto.sign('sha256', Buffer.from('x'), ${JSON.stringify(pem)}).toString('base64') }`],
    [
      'a signature by another key',
      `{ signature: crypto.sign('sha256', Buffer.from(request.message, 'base64'), crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey).toString('base64') }`,
    ],
    ['no signature', `{ signature: '' }`],
    ['another word', `{ sig: 'AAAA' }`],
    ['a field more', `{ signature: 'AAAA', note: 1 }`],
    ['text that is no base64', `{ signature: '!!!' }`],
  ])('that answers %s signs nothing', async (_what, answer) => {
    const signer = await execSigner(answering(answer), place);
    await expect(signer.sign(secret('a statement'))).rejects.toMatchObject({ code: expect.stringMatching(/^KEY_/) });
  });

  it('that never ends is ended, also where a child of it holds on to its streams', async () => {
    const limits = { timeoutMs: 400, answerBytes: 100, talkBytes: 100 };
    const slow: HelperPlace = { ...place, limits };
    await expect(execSigner('sleep 60', slow)).rejects.toMatchObject({
      code: 'KEY_UNAVAILABLE',
      message: expect.stringMatching(/within 400 ms/),
    });
    const file = path.join(dir, 'forks');
    writeFileSync(file, '#!/bin/sh\nsleep 3 &\nwait\n', { mode: 0o700 });
    await expect(execSigner(file, slow)).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' });
  });

  it('behind a name signs as that name’s key only', async () => {
    const command = helper(PUBLIC);
    writeKeyReference(path.join(place.home.keys, 'prod.keyref'), `exec:${command}`, { spki });
    const [stored] = storedKeys(place.home);
    expect(stored).toMatchObject({ name: 'prod', half: 'private', keptIn: 'elsewhere' });
    const found = await signerById(place, [stored?.id ?? ''], 'stage prod');
    expect(found.spki).toEqual(spki);
    // the file says one key, the helper has another
    const other = createKeyFile(keyFile('other'), 'p256');
    writeFileSync(path.join(place.home.keys, 'forged.keyref'), `exec:${command}\n${publicPem(other.spki)}`, { mode: 0o600 });
    rmSync(keyFile('other'));
    await expect(signerById(place, [other.id], 'stage prod')).rejects.toMatchObject({ code: 'KEY_MALFORMED' });
  });

  it('takes a name’s place when the owners have published it', async () => {
    createKeyFile(keyFile('prod'), 'p256');
    writeKeyReference(path.join(place.home.keys, 'prod.next.keyref'), `exec:${helper(PUBLIC)}`, { spki });
    const next = storedKeys(place.home).find(({ state }) => state === 'next');
    settleKeys(place.home, new Set([next?.id ?? '']));
    expect(storedKeys(place.home).map(({ name, state, keptIn }) => [name, state, keptIn])).toEqual([
      ['prod', 'current', 'elsewhere'],
      ['prod', 'retired', 'plain file'],
    ]);
    expect((await signerAt('prod', place)).keyId).toBe(next?.id);
  });

  it('named in a file that others can write, or that names another file, is not run', async () => {
    const file = path.join(place.home.keys, 'prod.keyref');
    writeFileSync(file, `exec:touch ${path.join(dir, 'ran')}\n${publicPem(spki)}`, { mode: 0o600 });
    writeFileSync(path.join(place.home.keys, 'open.keyref'), readFileSync(file), { mode: 0o644 });
    await expect(signerAt('open', place)).rejects.toMatchObject({ code: 'KEY_EXPOSED' });
    writeFileSync(path.join(place.home.keys, 'loop.keyref'), `file:${file}\n${publicPem(spki)}`, { mode: 0o600 });
    await expect(signerAt('loop', place)).rejects.toMatchObject({ code: 'KEY_MALFORMED' });
  });
});
