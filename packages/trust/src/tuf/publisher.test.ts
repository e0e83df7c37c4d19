import { fromUtf8, type Signer, TrustError, utf8 } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { testSigner } from '../../../../test/support/tuf-lane.js';
import {
  describeTarget,
  publishedTargetPath,
  type RoleKeys,
  rootMetadata,
  snapshotMetadata,
  stageMetadata,
  targetsMetadata,
  timestampMetadata,
  tufExpiryAt,
} from './publisher.js';
import { describeRole, publishedMetadataPath, readListedRoles, summarizeMetadata } from './published-role.js';
import {
  addSignature,
  authorityOf,
  countSignatures,
  meetsThreshold,
  mergeSignatures,
  rootAuthority,
  signatureOf,
  signMetadata,
} from './signing.js';
import type { TopRole } from './rules.js';

const EXPIRES = '2027-03-01T00:00:00Z';
const owners = [testSigner(), testSigner(), testSigner()];
const role = (signers: readonly Signer[], threshold: number): RoleKeys => ({ keys: signers.map(({ spki }) => spki), threshold });

function rootOf(version: number, root: readonly Signer[], threshold = 2): Uint8Array {
  const online = role([owners[0]!], 1);
  return rootMetadata({
    version,
    expiresAt: EXPIRES,
    roles: { root: role(root, threshold), targets: online, snapshot: online, timestamp: online },
  });
}

const listed = (name: string, version: number): ReturnType<typeof describeRole> => ({
  role: name,
  version,
  lengthBytes: 1,
  sha256Hex: 'a'.repeat(64),
});

describe('a ceremony', () => {
  it('gathers the owners one by one, each on another machine, and knows when it is done', async () => {
    const proposal = rootOf(1, owners);
    const authority = rootAuthority(proposal, 'root');
    expect(countSignatures(proposal, authority)).toEqual({ signedBy: [], missing: 2 });
    const first = addSignature(proposal, await signatureOf(proposal, owners[2]!));
    expect(countSignatures(first, authority)).toEqual({ signedBy: [owners[2]!.keyId], missing: 1 });
    const second = addSignature(first, await signatureOf(proposal, owners[0]!));
    expect(meetsThreshold(second, [authority])).toBe(true);
    expect(summarizeMetadata(second)).toMatchObject({ type: 'root', version: 1, expiresAt: EXPIRES });
  });

  it('counts an owner once, however often he signs, and a stranger never', async () => {
    const proposal = rootOf(1, owners);
    const signed = await signMetadata(await signMetadata(proposal, [owners[0]!, testSigner()]), [owners[0]!]);
    expect(countSignatures(signed, authorityOf(role(owners, 2)))).toEqual({ signedBy: [owners[0]!.keyId], missing: 1 });
    expect(JSON.parse(fromUtf8(signed)).signatures).toHaveLength(2);
  });

  it('joins two copies of one proposal, and refuses to join two proposals', async () => {
    const proposal = rootOf(1, owners);
    const joined = mergeSignatures(await signMetadata(proposal, [owners[0]!]), await signMetadata(proposal, [owners[1]!]));
    expect(meetsThreshold(joined, [rootAuthority(proposal, 'root')])).toBe(true);
    expect(() => mergeSignatures(proposal, rootOf(2, owners))).toThrow(expect.objectContaining({ code: 'TRUST_MISMATCH' }));
  });

  it('of the next root needs the thresholds of the old root and of the new one', async () => {
    const heirs = [testSigner(), testSigner(), testSigner()];
    const next = rootOf(2, heirs);
    const authorities = [rootAuthority(rootOf(1, owners), 'root'), rootAuthority(next, 'root')];
    const byHeirs = await signMetadata(next, heirs);
    expect(meetsThreshold(byHeirs, authorities)).toBe(false);
    expect(meetsThreshold(await signMetadata(next, owners), authorities)).toBe(false);
    expect(meetsThreshold(await signMetadata(byHeirs, owners.slice(1)), authorities)).toBe(true);
  });

  it('stops at a signer that answers rubbish', async () => {
    const broken: Signer = { ...testSigner(), sign: () => Promise.resolve(utf8('rubbish')) };
    await expect(signMetadata(rootOf(1, owners), [broken])).rejects.toMatchObject({ code: 'TRUST_THRESHOLD' });
  });
});

describe('the builders', () => {
  it('name files as consistent snapshots ask', () => {
    expect(publishedMetadataPath('root', 3)).toBe('metadata/3.root.json');
    expect(publishedMetadataPath('edge-preprod', 7)).toBe('metadata/7.edge-preprod.json');
    expect(publishedMetadataPath('timestamp', 9)).toBe('metadata/timestamp.json');
    expect(publishedMetadataPath('../root', 1)).toBe('metadata/1...%2Froot.json');
    expect(publishedTargetPath(describeTarget('policy/prod.json', utf8('')))).toMatch(
      /^targets\/policy\/e3b0c442[0-9a-f]{56}\.prod\.json$/,
    );
    expect(publishedTargetPath(describeTarget('trusted_root.json', utf8('')))).toMatch(
      /^targets\/e3b0c442[0-9a-f]{56}\.trusted_root\.json$/,
    );
  });

  it('delegate to each stage its own channel and nothing else, terminating', () => {
    const bytes = targetsMetadata({ version: 1, expiresAt: EXPIRES, targets: [], stages: [{ stage: 'prod', ...role([owners[0]!], 1) }] });
    expect(JSON.parse(fromUtf8(bytes)).signed.delegations.roles).toEqual([
      { name: 'prod', paths: ['channel/prod.json'], terminating: true, threshold: 1, keyids: [expect.stringMatching(/^[0-9a-f]{64}$/)] },
    ]);
  });

  it('write one form of bytes for one content', () => {
    expect(rootOf(1, owners)).toEqual(rootOf(1, owners));
    expect(fromUtf8(rootOf(1, owners))).toMatch(/^\{"signatures":\[\],"signed":\{"_type":"root","consistent_snapshot":true,/);
  });

  it('date each role by its own term', () => {
    const now = '2026-03-01T00:00:00Z';
    expect((['root', 'targets', 'stage', 'snapshot', 'timestamp'] as const).map((name) => tufExpiryAt(name, now))).toEqual([
      '2027-03-01T00:00:00Z',
      '2026-08-28T00:00:00Z',
      '2026-03-31T00:00:00Z',
      '2026-03-08T00:00:00Z',
      '2026-03-08T00:00:00Z',
    ]);
  });

  it('go on listing a stage that no longer exists, and never let a role go back', () => {
    const before = snapshotMetadata({ version: 1, expiresAt: EXPIRES, roles: [listed('targets', 4), listed('dev', 9)] });
    const after = snapshotMetadata({ version: 2, expiresAt: EXPIRES, roles: [listed('targets', 5)], previous: before });
    expect(readListedRoles(after).map(({ role: name, version }) => [name, version])).toEqual([
      ['dev', 9],
      ['targets', 5],
    ]);
    expect(() => snapshotMetadata({ version: 3, expiresAt: EXPIRES, roles: [listed('dev', 8)], previous: after })).toThrow(
      expect.objectContaining({ code: 'TRUST_ROLLBACK' }),
    );
  });

  it.each<[string, () => unknown]>([
    ['a threshold above the keys', () => rootOf(1, owners, 4)],
    ['a threshold met by naming one key twice', () => rootOf(1, [owners[0]!, owners[0]!], 2)],
    ['version 0', () => timestampMetadata({ version: 0, expiresAt: EXPIRES, snapshot: listed('snapshot', 1) })],
    [
      'an expiry with an offset',
      () => stageMetadata({ stage: 'prod', version: 1, expiresAt: '2027-03-01T00:00:00+01:00', channel: utf8('{}') }),
    ],
    ...(['root', 'targets', 'snapshot', 'timestamp'] as const).map((stage: TopRole): [string, () => unknown] => [
      `a stage named ${stage}`,
      () => targetsMetadata({ version: 1, expiresAt: EXPIRES, targets: [], stages: [{ stage, ...role([owners[0]!], 1) }] }),
    ]),
  ])('refuse %s', (_what, build) => {
    expect(build).toThrow(TrustError);
    expect(build).toThrow(expect.objectContaining({ code: 'TRUST_MALFORMED' }));
  });
});
