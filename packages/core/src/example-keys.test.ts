import { createHash, createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXAMPLE_KEY_IDS } from './example-keys.js';

const folder = new URL('../../../keys-example/', import.meta.url);

test('knows every key of keys-example by its fingerprint, and no other', () => {
  const pems = readdirSync(folder).filter((name) => name.endsWith('.pem'));
  const ids = pems.map((name) => {
    const spki = createPublicKey(readFileSync(new URL(name, folder))).export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(spki).digest('hex');
  });
  expect(new Set(ids)).toEqual(EXAMPLE_KEY_IDS);
  expect(ids).toHaveLength(18);
});
