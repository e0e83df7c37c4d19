/** What was found of a word is kept, and receipts that came since are looked through; where payloads are not beside the projection, any site may be meant. */
import { type Digest, type FoundHardware, PREDICATE, sha256, statementDigestOf, utf8 } from '@sealane/core';
import { afterEach, expect, test } from 'vitest';
import type { Ledger } from '../ledger.js';
import type { NewEntry } from '../log/entry.js';
import { testHome } from '../testing/open.js';
import { signed, type TestKey, testKey } from '../testing/statements.js';
import type { HardwareSought } from './hardware-sites.js';

const home = testHome();
const [author, site] = [testKey(), testKey()];
const release = sha256(utf8('release 1'));

afterEach(async () => {
  await home.remove();
});

/** What a receipt tells of its machine, and where it stands in its chain. */
interface Told {
  readonly serial: string;
  readonly model?: string;
  readonly seq?: number;
  readonly prev?: Digest;
}

function receiptOf(key: TestKey, name: string, { serial, model = 'ER-220', seq = 1, prev }: Told): NewEntry {
  const component = { type: 'device', name: model, properties: [{ name: 'cdx:device:serialNumber', value: serial }] };
  const hardware = { bomFormat: 'CycloneDX', specVersion: '1.7', metadata: { component } };
  const chain = {
    site: name,
    keyId: key.id,
    seq,
    prev: prev ?? null,
    event: 'installed',
    release,
    waybill: null,
    previous: null,
    reason: null,
  };
  return signed(key, PREDICATE.receipt, { ...chain, at: '2026-11-24T10:00:00Z', hardware, salt: '00112233445566778899aabbccddeeff' }, name);
}

function soughtBy(word: string): HardwareSought {
  const isNamed = (found: FoundHardware): boolean => 'devices' in found && found.devices.some(({ facts }) => facts.model === word);
  return { word, isNamed, bytes: utf8(`"${word}"`) };
}

test('finds sites by hardware among the receipts that came since it was asked before, on a fresh look as well', async () => {
  const ledger = await home.open();
  const told = (name: string, said: Told): NewEntry => receiptOf(site, name, said);
  const record = (name: string): NewEntry =>
    signed(author, PREDICATE.siteRecord, { site: name, key: { id: site.id, spki: '' }, stage: 'prod', labels: {} }, name);
  const first = told('shop-2', { serial: 'B1' });
  await ledger.append([record('shop-1'), record('shop-2'), record('shop-3'), told('shop-1', { serial: 'A1' }), first]);
  const named = async (from: Ledger, word: string): Promise<readonly string[]> => await from.sitesWithHardware(soughtBy(word));
  expect([await named(ledger, 'A1'), await named(ledger, 'A1'), await named(ledger, 'ER-9')]).toEqual([['shop-1'], ['shop-1'], []]);
  await ledger.append([
    told('shop-3', { serial: 'A1' }),
    told('shop-2', { seq: 2, prev: statementDigestOf(first.envelope), serial: 'C1', model: 'ER-9' }),
  ]);
  const copy = await home.open();
  for (const each of [ledger, ledger, copy])
    expect([await named(each, 'A1'), await named(each, 'ER-9'), await named(each, 'B1')]).toEqual([
      ['shop-1', 'shop-3'],
      ['shop-2'],
      ['shop-2'],
    ]);
  await copy.close();
  await ledger.close();
});
