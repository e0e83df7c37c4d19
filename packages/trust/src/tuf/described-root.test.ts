import type { Signer } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { testSigner } from '../../../../test/support/tuf-lane.js';
import { describeRoot, followsRoot } from './described-root.js';
import { rootMetadata, ROOTS_LOGGED_MARK } from './publisher.js';
import { signMetadata } from './signing.js';

const [first, second, third, stranger] = [testSigner(), testSigner(), testSigner(), testSigner()];

async function rootOf(version: number, owners: readonly Signer[], signers: readonly Signer[], marks = {}): Promise<Uint8Array> {
  const keys = owners.map(({ spki }) => spki);
  const online = { keys: [first.spki], threshold: 1 };
  const roles = { root: { keys, threshold: 2 }, targets: online, snapshot: online, timestamp: online };
  return await signMetadata(rootMetadata({ version, expiresAt: '2027-03-01T00:00:00Z', roles, marks }), signers);
}

describe('a root as the log names it', () => {
  it('is the same whatever signatures lie beside it, and another by one letter', async () => {
    const one = await rootOf(1, [first, second], [first, second]);
    const more = await signMetadata(one, [stranger]);
    expect(describeRoot(more).signed).toBe(describeRoot(one).signed);
    expect(describeRoot(more).digest).not.toBe(describeRoot(one).digest);
    expect(describeRoot(await rootOf(1, [first, second], [first], { other: 'a' })).signed).not.toBe(describeRoot(one).signed);
  });

  it('names the owners of both roots whose signatures hold, and nobody else', async () => {
    const before = await rootOf(1, [first, second], [first, second]);
    const next = await rootOf(2, [second, third], [first, second, third, stranger]);
    expect(describeRoot(next).signedBy).toEqual([second.keyId, third.keyId].sort());
    expect(describeRoot(next, before).signedBy).toEqual([first.keyId, second.keyId, third.keyId].sort());
  });

  it('says that later ones are logged only where its owners wrote so', async () => {
    const says = async (marks: object): Promise<boolean> => describeRoot(await rootOf(1, [first, second], [], marks)).saysLogged;
    expect(await says({})).toBe(false);
    expect(await says({ [ROOTS_LOGGED_MARK]: 'yes' })).toBe(false);
    expect(await says({ [ROOTS_LOGGED_MARK]: true })).toBe(true);
  });

  it('follows another by the thresholds of both, and as the next version', async () => {
    const before = await rootOf(1, [first, second], [first, second]);
    const follows = async (version: number, signers: readonly Signer[]): Promise<boolean> =>
      followsRoot(await rootOf(version, [second, third], signers), before);
    expect(await follows(2, [first, second, third])).toBe(true);
    expect(await follows(2, [second, third])).toBe(false);
    expect(await follows(2, [first, second])).toBe(false);
    expect(await follows(3, [first, second, third])).toBe(false);
  });
});
