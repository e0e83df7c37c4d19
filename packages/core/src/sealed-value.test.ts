import { expect, test } from 'vitest';
import { utf8 } from './bytes.js';
import { LIMITS } from './limits.js';
import { makeSealingKey, openSealingKey, openValue, sealedBytes, sealValue } from './sealed-value.js';

const FOR = { keyId: 'ab'.repeat(32), secret: 'db-password', version: 3 };

test('opens what was sealed to it, byte for byte, up to the longest value', async () => {
  const key = await makeSealingKey();
  for (const value of [utf8('p'), new Uint8Array(LIMITS.secretBytes).fill(255)]) {
    const sealed = await sealValue(value, FOR, key.recipient);
    expect(sealed.length).toBeLessThanOrEqual(sealedBytes(value.length));
    expect(await openValue(sealed, FOR, key)).toEqual(value);
  }
});

test('two seals of one value have different bytes', async () => {
  const { recipient } = await makeSealingKey();
  expect(await sealValue(utf8('same'), FOR, recipient)).not.toEqual(await sealValue(utf8('same'), FOR, recipient));
});

test('refuses what was sealed to another key, altered, or sealed as another secret, version or site', async () => {
  const [key, other] = [await makeSealingKey(), await makeSealingKey()];
  const sealed = await sealValue(utf8('value'), FOR, key.recipient);
  const altered = Uint8Array.from(sealed, (byte, at) => (at === sealed.length - 1 ? byte ^ 1 : byte));
  const invalid = { code: 'SECRET_INVALID' };
  await expect(openValue(sealed, FOR, other)).rejects.toMatchObject(invalid);
  await expect(openValue(altered, FOR, key)).rejects.toMatchObject(invalid);
  await expect(openValue(utf8('no age file'), FOR, key)).rejects.toMatchObject(invalid);
  for (const taken of [
    { ...FOR, secret: 'other' },
    { ...FOR, version: 4 },
    { ...FOR, keyId: 'cd'.repeat(32) },
  ])
    await expect(openValue(sealed, taken, key)).rejects.toMatchObject(invalid);
});

test('refuses an empty value, one that is too long, and a recipient of another kind', async () => {
  const { recipient } = await makeSealingKey();
  await expect(sealValue(new Uint8Array(), FOR, recipient)).rejects.toMatchObject({ code: 'SECRET_INVALID' });
  await expect(sealValue(new Uint8Array(LIMITS.secretBytes + 1), FOR, recipient)).rejects.toMatchObject({ code: 'SECRET_INVALID' });
  await expect(sealValue(utf8('x'), FOR, 'age1short')).rejects.toMatchObject({ code: 'SECRET_INVALID' });
});

test('reads its own key back and refuses one whose checksum is wrong', async () => {
  const key = await makeSealingKey();
  expect(await openSealingKey(`${key.identity}\n`)).toEqual(key);
  const wrong = `${key.identity.slice(0, -1)}${key.identity.endsWith('Q') ? 'P' : 'Q'}`;
  await expect(openSealingKey(wrong)).rejects.toMatchObject({ code: 'KEY_MALFORMED' });
  await expect(openSealingKey('-----BEGIN')).rejects.toMatchObject({ code: 'KEY_MALFORMED' });
});
