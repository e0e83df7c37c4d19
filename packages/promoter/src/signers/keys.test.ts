/** Key files and key references: who may read them, what they must be, where a name leads, and that no name leaves its folder. */
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeyFile, publicPem, readPrivateKey, signerOf } from './key-file.js';
import type { KeyPlace } from './key-place.js';
import { signerAt } from './key-ref.js';
import { nextPublicHalf, publicHalfNamed, settleKeys, signerById, storedKeys } from './key-store.js';

const EXAMPLES = path.join(import.meta.dirname, '../../../../keys-example');

let dir: string;
let place: KeyPlace;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-keys-'));
  const home = { keys: path.join(dir, 'keys'), owners: path.join(dir, 'owners') };
  mkdirSync(home.keys);
  mkdirSync(home.owners);
  place = { home, env: {}, cwd: dir, isExampleLane: false };
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const keyFile = (name: string): string => path.join(place.home.keys, `${name}.pem`);

async function expectCode(action: () => unknown, code: string, message = /./): Promise<void> {
  let error: unknown;
  try {
    await action();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}

describe('a key file', () => {
  it('is made for its owner only and is never replaced', async () => {
    const { id } = createKeyFile(keyFile('alice'), 'p256');
    expect(statSync(keyFile('alice')).mode & 0o777).toBe(0o600);
    const before = readFileSync(keyFile('alice'));
    await expectCode(() => createKeyFile(keyFile('alice'), 'p256'), 'KEY_EXISTS');
    expect(readFileSync(keyFile('alice'))).toEqual(before);
    expect(readPrivateKey(keyFile('alice')).id).toBe(id);
    expect(readdirSync(place.home.keys)).toEqual(['alice.pem']);
  });

  it.each([0o640, 0o604, 0o620, 0o602, 0o666])('that others can read or write (mode %o) is refused', async (mode) => {
    createKeyFile(keyFile('alice'), 'p256');
    chmodSync(keyFile('alice'), mode);
    await expectCode(() => readPrivateKey(keyFile('alice')), 'KEY_EXPOSED', /expected mode 0600/);
  });

  it('that is text, a public key, or encrypted is refused, and its text is not in the message', async () => {
    const secret = 'hunter2-hunter2';
    const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: secret })
      .toString();
    const { spki } = createKeyFile(keyFile('alice'), 'p256');
    for (const text of [secret, '', publicPem(spki), encrypted]) {
      writeFileSync(keyFile('bad'), text, { mode: 0o600 });
      await expectCode(() => readPrivateKey(keyFile('bad')), 'KEY_MALFORMED', /^(?!.*hunter2)/);
    }
  });

  it('that is missing is named', async () => {
    await expectCode(() => readPrivateKey(keyFile('nobody')), 'CONFIG_INVALID', /nobody\.pem: expected a file, got nothing/);
  });

  it('of another curve or kind does not sign statements', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(keyFile('p384'), other, { mode: 0o600 });
    createKeyFile(keyFile('ed'), 'ed25519');
    for (const name of ['p384', 'ed']) await expectCode(() => signerOf(readPrivateKey(keyFile(name))), 'KEY_MALFORMED');
  });
});

describe('a key reference', () => {
  it('is a name, a path or a variable, and all three are the same key', async () => {
    const { id } = createKeyFile(keyFile('alice'), 'p256');
    const env = { ALICE: readFileSync(keyFile('alice'), 'utf8') };
    for (const ref of [
      'alice',
      'file:keys/alice.pem',
      `file:${keyFile('alice')}`,
      'keys/alice.pem',
      './keys/alice.pem',
      keyFile('alice'),
      'env:ALICE',
    ])
      expect((await signerAt(ref, { ...place, env })).keyId).toBe(id);
  });

  it('finds an owner’s key, and one under keys/ first', async () => {
    const owner = createKeyFile(path.join(place.home.owners, 'root-1.pem'), 'p256');
    expect((await signerAt('root-1', place)).keyId).toBe(owner.id);
    const { id } = createKeyFile(keyFile('root-1'), 'p256');
    expect((await signerAt('root-1', place)).keyId).toBe(id);
  });

  it('that is a path is one from the current folder, never from that of keys', async () => {
    const { id } = createKeyFile(path.join(dir, 'alice.pem'), 'p256');
    expect((await signerAt('./alice.pem', place)).keyId).toBe(id);
    await expectCode(() => signerAt('../alice.pem', place), 'CONFIG_INVALID', /got nothing/);
  });

  it('of no key here says where it was looked for, and how to name a file', async () => {
    createKeyFile(path.join(dir, 'alice.pem'), 'p256');
    await expect(signerAt('alise', place)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `look up key alise: expected alise.pem in ${place.home.keys} or ${place.home.owners}, got neither`,
      hint: expect.stringMatching(/sealane key list; .*file:PATH.*sealane key create alise$/),
    });
    await expect(signerAt('alice.pem', place)).rejects.toMatchObject({
      hint: expect.stringMatching(/--key \.\/alice\.pem; .*--key alice$/),
    });
  });

  it.each(['.hidden', '', 'pkcs11:token=a', 'exec:', 'oidc', 'kms:key', 'https://keys.example', 'a\u0000b'])(
    '%j is refused as usage',
    async (ref) => {
      createKeyFile(path.join(dir, 'alice.pem'), 'p256');
      await expectCode(() => signerAt(ref, place), 'USAGE');
    },
  );

  it('to an empty or missing variable is refused, and to one that is no key', async () => {
    await expectCode(() => signerAt('env:NONE', place), 'CONFIG_INVALID', /env:NONE/);
    await expectCode(() => signerAt('env:NONE', { ...place, env: { NONE: '' } }), 'CONFIG_INVALID');
    await expectCode(() => signerAt('env:NONE', { ...place, env: { NONE: 'hunter2' } }), 'KEY_MALFORMED', /^(?!.*hunter2)/);
  });

  it('to an example key is refused in a lane that was not made from them, whatever the file is called', async () => {
    cpSync(path.join(EXAMPLES, 'alice.pem'), keyFile('mallory'));
    chmodSync(keyFile('mallory'), 0o600);
    await expectCode(() => signerAt('mallory', place), 'KEY_EXAMPLE');
    await expectCode(() => signerAt('env:M', { ...place, env: { M: readFileSync(keyFile('mallory'), 'utf8') } }), 'KEY_EXAMPLE');
    expect((await signerAt('mallory', { ...place, isExampleLane: true })).keyId).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('the keys of a home', () => {
  it('are told apart by half and state', async () => {
    createKeyFile(keyFile('prod'), 'p256');
    createKeyFile(keyFile('prod.next'), 'p256');
    const { spki } = createKeyFile(path.join(dir, 'elsewhere.pem'), 'p256');
    writeFileSync(path.join(place.home.owners, 'root-1.pub.pem'), publicPem(spki));
    writeFileSync(path.join(place.home.keys, 'notes.txt'), 'no key');
    expect(storedKeys(place.home).map(({ name, half, state }) => [name, half, state])).toEqual([
      ['root-1', 'public', 'current'],
      ['prod', 'private', 'next'],
      ['prod', 'private', 'current'],
    ]);
    expect(publicHalfNamed(place.home, 'root-1')).toEqual(spki);
  });

  it('a successor is what owners sign next, and signs nothing before it is published', async () => {
    const old = createKeyFile(keyFile('prod'), 'p256');
    const next = createKeyFile(keyFile('prod.next'), 'p256');
    expect(nextPublicHalf(place.home, 'prod')).toEqual(next.spki);
    expect((await signerAt('prod', place)).keyId).toBe(old.id);
    expect(settleKeys(place.home, new Set())).toEqual([]);
    expect((await signerAt('prod', place)).keyId).toBe(old.id);
  });

  it('a published successor takes the name, and the old key is kept aside', async () => {
    const old = createKeyFile(keyFile('prod'), 'p256');
    const next = createKeyFile(keyFile('prod.next'), 'p256');
    settleKeys(place.home, new Set([next.id]));
    expect((await signerAt('prod', place)).keyId).toBe(next.id);
    expect(existsSync(keyFile('prod.next'))).toBe(false);
    expect(readPrivateKey(keyFile(`prod.retired-${old.id.slice(0, 8)}`)).id).toBe(old.id);
    // and again: nothing is left to do
    expect(settleKeys(place.home, new Set([next.id]))).toEqual([]);
  });

  it('a settling that was killed between its two renames is finished by the next', async () => {
    const next = createKeyFile(keyFile('prod.next'), 'p256');
    settleKeys(place.home, new Set([next.id]));
    expect((await signerAt('prod', place)).keyId).toBe(next.id);
  });

  it('a role is signed by id, never by a public half alone', async () => {
    const { id, spki } = createKeyFile(path.join(dir, 'elsewhere.pem'), 'p256');
    writeFileSync(path.join(place.home.keys, 'prod.pub.pem'), publicPem(spki));
    await expectCode(() => signerById(place, [id], 'stage prod'), 'KEY_NOT_NAMED', /stage prod/);
    const other = createKeyFile(keyFile('whatever'), 'p256');
    expect((await signerById(place, [id, other.id], 'stage prod')).keyId).toBe(other.id);
  });
});
