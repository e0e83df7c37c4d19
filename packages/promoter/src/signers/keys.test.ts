/** Key files and key references: who may read them, what they must be, where a name leads, and that no name leaves its folder. */
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeyFile, publicPem, readPrivateKey, readPublicHalf, signerOf, writePublicKey } from './key-file.js';
import { type KeyPlace, signerAt } from './key-ref.js';
import { nextPublicHalf, settleKeys, signerById, storedKeys } from './key-store.js';

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

function expectCode(action: () => unknown, code: string, message = /./): void {
  let error: unknown;
  try {
    action();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}

describe('a key file', () => {
  it('is made for its owner only and is never replaced', () => {
    const { id } = createKeyFile(keyFile('alice'), 'p256');
    expect(statSync(keyFile('alice')).mode & 0o777).toBe(0o600);
    const before = readFileSync(keyFile('alice'));
    expectCode(() => createKeyFile(keyFile('alice'), 'p256'), 'KEY_EXISTS');
    expect(readFileSync(keyFile('alice'))).toEqual(before);
    expect(readPrivateKey(keyFile('alice')).id).toBe(id);
    expect(readdirSync(place.home.keys)).toEqual(['alice.pem']);
  });

  it.each([0o640, 0o604, 0o620, 0o602, 0o666])('that others can read or write (mode %o) is refused', (mode) => {
    createKeyFile(keyFile('alice'), 'p256');
    chmodSync(keyFile('alice'), mode);
    expectCode(() => readPrivateKey(keyFile('alice')), 'KEY_EXPOSED', /expected mode 0600/);
  });

  it('that is text, a public key, or encrypted is refused, and its text is not in the message', () => {
    const secret = 'hunter2-hunter2';
    const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: secret })
      .toString();
    const { spki } = createKeyFile(keyFile('alice'), 'p256');
    for (const text of [secret, '', publicPem(spki), encrypted]) {
      writeFileSync(keyFile('bad'), text, { mode: 0o600 });
      expectCode(() => readPrivateKey(keyFile('bad')), 'KEY_MALFORMED', /^(?!.*hunter2)/);
    }
  });

  it('that is missing is named', () => {
    expectCode(() => readPrivateKey(keyFile('nobody')), 'CONFIG_INVALID', /nobody\.pem: ENOENT/);
  });

  it('of another curve or kind does not sign statements', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(keyFile('p384'), other, { mode: 0o600 });
    createKeyFile(keyFile('ed'), 'ed25519');
    for (const name of ['p384', 'ed']) expectCode(() => signerOf(readPrivateKey(keyFile(name))), 'KEY_MALFORMED');
  });
});

describe('a key reference', () => {
  it('is a name, a path or a variable, and all three are the same key', () => {
    const { id } = createKeyFile(keyFile('alice'), 'p256');
    const env = { ALICE: readFileSync(keyFile('alice'), 'utf8') };
    for (const ref of ['alice', 'file:keys/alice.pem', `file:${keyFile('alice')}`, 'env:ALICE'])
      expect(signerAt(ref, { ...place, env }).keyId).toBe(id);
  });

  it('finds an owner’s key, and one under keys/ first', () => {
    const owner = createKeyFile(path.join(place.home.owners, 'root-1.pem'), 'p256');
    expect(signerAt('root-1', place).keyId).toBe(owner.id);
    const { id } = createKeyFile(keyFile('root-1'), 'p256');
    expect(signerAt('root-1', place).keyId).toBe(id);
  });

  it.each(['../alice', 'a/b', '.hidden', '', 'pkcs11:token', 'exec:cat', 'oidc', 'https://keys.example', 'a\u0000b'])(
    '%j is refused as usage',
    (ref) => {
      createKeyFile(path.join(dir, 'alice.pem'), 'p256');
      expectCode(() => signerAt(ref, place), 'USAGE');
    },
  );

  it('to an empty or missing variable is refused, and to one that is no key', () => {
    expectCode(() => signerAt('env:NONE', place), 'CONFIG_INVALID', /env:NONE/);
    expectCode(() => signerAt('env:NONE', { ...place, env: { NONE: '' } }), 'CONFIG_INVALID');
    expectCode(() => signerAt('env:NONE', { ...place, env: { NONE: 'hunter2' } }), 'KEY_MALFORMED', /^(?!.*hunter2)/);
  });

  it('to an example key is refused in a lane that was not made from them, whatever the file is called', () => {
    cpSync(path.join(EXAMPLES, 'alice.pem'), keyFile('mallory'));
    chmodSync(keyFile('mallory'), 0o600);
    expectCode(() => signerAt('mallory', place), 'KEY_EXAMPLE');
    expectCode(() => signerAt('env:M', { ...place, env: { M: readFileSync(keyFile('mallory'), 'utf8') } }), 'KEY_EXAMPLE');
    expect(signerAt('mallory', { ...place, isExampleLane: true }).keyId).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('the keys of a home', () => {
  it('are told apart by half and state', () => {
    createKeyFile(keyFile('prod'), 'p256');
    createKeyFile(keyFile('prod.next'), 'p256');
    const { spki } = createKeyFile(path.join(dir, 'elsewhere.pem'), 'p256');
    writePublicKey(path.join(place.home.owners, 'root-1.pub.pem'), spki);
    writeFileSync(path.join(place.home.keys, 'notes.txt'), 'no key');
    expect(storedKeys(place.home).map(({ name, half, state }) => [name, half, state])).toEqual([
      ['root-1', 'public', 'current'],
      ['prod', 'private', 'next'],
      ['prod', 'private', 'current'],
    ]);
    expect(readPublicHalf(place.home.owners, 'root-1')).toEqual(spki);
  });

  it('a successor is what owners sign next, and signs nothing before it is published', () => {
    const old = createKeyFile(keyFile('prod'), 'p256');
    const next = createKeyFile(keyFile('prod.next'), 'p256');
    expect(nextPublicHalf(place.home, 'prod')).toEqual(next.spki);
    expect(signerAt('prod', place).keyId).toBe(old.id);
    expect(settleKeys(place.home, new Set())).toEqual([]);
    expect(signerAt('prod', place).keyId).toBe(old.id);
  });

  it('a published successor takes the name, and the old key is kept aside', () => {
    const old = createKeyFile(keyFile('prod'), 'p256');
    const next = createKeyFile(keyFile('prod.next'), 'p256');
    settleKeys(place.home, new Set([next.id]));
    expect(signerAt('prod', place).keyId).toBe(next.id);
    expect(existsSync(keyFile('prod.next'))).toBe(false);
    expect(readPrivateKey(keyFile(`prod.retired-${old.id.slice(0, 8)}`)).id).toBe(old.id);
    // and again: nothing is left to do
    expect(settleKeys(place.home, new Set([next.id]))).toEqual([]);
  });

  it('a settling that was killed between its two renames is finished by the next', () => {
    const next = createKeyFile(keyFile('prod.next'), 'p256');
    settleKeys(place.home, new Set([next.id]));
    expect(signerAt('prod', place).keyId).toBe(next.id);
  });

  it('a role is signed by id, never by a public half alone', () => {
    const { id, spki } = createKeyFile(path.join(dir, 'elsewhere.pem'), 'p256');
    writePublicKey(path.join(place.home.keys, 'prod.pub.pem'), spki);
    expectCode(() => signerById(place.home, [id], 'stage prod'), 'KEY_NOT_NAMED', /stage prod/);
    const other = createKeyFile(keyFile('whatever'), 'p256');
    expect(signerById(place.home, [id, other.id], 'stage prod').keyId).toBe(other.id);
  });
});
