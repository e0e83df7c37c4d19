/** A site that is enrolled again: the same words give the same record, others say what they replace. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { keyIdOf, makeSiteRequest, type Signer } from '@sealane/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeHome, type TestHome } from '../testing/test-home.js';
import { changeLines } from './changes.js';

let home: TestHome;
const first = hostKey();
const second = hostKey();

beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.stop());

function hostKey(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey))) };
}

async function add(host: Signer, ...more: readonly string[]): ReturnType<TestHome['sealane']> {
  const request = await makeSiteRequest({ name: 'harbour-7', nonce: '0'.repeat(32), recipient: null, hbom: null }, host);
  const file = home.file('request.json', new TextDecoder().decode(request));
  return await home.sealane(['site', 'add', file, '--stage', 'prod', ...more, '--key', 'registrar']);
}

const labels = ['--label', 'region=north', '--label', 'ring=1'];

test('the same request with the same words gets the same record, and nothing is logged', async () => {
  const added = await add(first, ...labels);
  expect(added.replaces).toBeNull();
  expect(await add(first, ...labels)).toEqual(added);
  expect(await add(first, '--label', 'ring=1', '--label', 'region=north')).toEqual(added);
});

test('labels that are left out, added and changed are told, and so is the record that counted before', async () => {
  const before = await add(first, ...labels);
  const after = await add(first, '--label', 'region=south', '--label', 'town=quay');
  expect(after.replaces).toEqual({
    statement: before.statement,
    logIndex: before.logIndex,
    changes: [
      { what: 'label region', from: 'north', to: 'south' },
      { what: 'label ring', from: '1', to: null },
      { what: 'label town', from: null, to: 'quay' },
    ],
  });
  expect(changeLines(after.replaces.changes)).toEqual([
    '  label region: north → south',
    '  label ring: 1 → none',
    '  label town: none → quay',
  ]);
});

test('another host under the name of one is told by both keys', async () => {
  const { replaces } = await add(second, '--label', 'region=south', '--label', 'town=quay');
  expect(replaces.changes).toEqual([{ what: 'key', from: first.keyId, to: second.keyId }]);
});

test('another name for a key that has one already is told, by the record that gave it', async () => {
  const { logIndex, otherNames } = await add(second, '--label', 'region=south', '--label', 'town=quay');
  expect(otherNames).toEqual([]);
  const request = await makeSiteRequest({ name: 'harbour-8', nonce: '0'.repeat(32), recipient: null, hbom: null }, second);
  const file = home.file('copied.json', new TextDecoder().decode(request));
  const copied = await home.sealane(['site', 'add', file, '--stage', 'prod', '--key', 'registrar']);
  expect(copied).toMatchObject({ site: 'harbour-8', otherNames: [{ site: 'harbour-7', logIndex }] });
});

test('a topology is told by the beginning of its hash', async () => {
  const given = home.file(
    'topology.yaml',
    'apiVersion: sealane/v1\nkind: Topology\nzones: [quay]\nnodes: [{ role: gateway, tier: edge, zone: quay, storage: flash }]\nflows: []\ningress: []\nservices: []\nuplinks: []\n',
  );
  const same = ['--label', 'region=south', '--label', 'town=quay', '--topology', given];
  expect((await add(second, ...same)).replaces.changes).toEqual([
    { what: 'topology', from: null, to: expect.stringMatching(/^[0-9a-f]{12}$/) },
  ]);
  const again = await add(second, ...same);
  expect((await add(second, ...same)).logIndex).toBe(again.logIndex);
});

test('a key that was retired gets no record again, however its request is brought: that of the new node stays the one that counts', async () => {
  const words = ['--label', 'region=south'];
  await add(second, ...words);
  await home.sealane(['site', 'retire', 'harbour-7', '--reason', 'sold', '--key', 'registrar']);
  const now = await add(first, ...words);
  const before = await home.sealane(['site', 'show', 'harbour-7']);
  await expect(add(second, ...words)).rejects.toThrow('SITE_RETIRED');
  expect(await home.sealane(['site', 'show', 'harbour-7'])).toEqual(before);
  expect(before).toMatchObject({ keyId: now.keyId, retired: false });
});
