/** The fleet out of the ledger's projection is the one that reading every record and receipt gives, at every size of the log. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  base64,
  type Digest,
  envelopePayload,
  foundHardware,
  INTOTO_PAYLOAD_TYPE,
  type JsonObject,
  keyIdOf,
  makeEnvelope,
  pae,
  sha256,
  utf8,
} from '@sealane/core';
import { ed25519NoteSigner, type Ledger, type NewEntry, openLedger, type PastLedger, pastLedger } from '@sealane/ledger';
import { type FleetSite, fleetSites, readReceipt, readSiteRecord, receiptStatement, siteRecordStatement } from '@sealane/trust';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';

const AT = '2026-11-24T10:00:00Z';
const SALT = '0'.repeat(32);
const KEYS = Array.from({ length: 3 }, () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return { privateKey, spki, id: keyIdOf(spki) };
});
const keyAt = (at: number) => KEYS[at] ?? expect.unreachable();

function signed(payload: Uint8Array, key: number): NewEntry {
  const { privateKey, spki } = keyAt(key);
  const signature = new Uint8Array(sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), privateKey));
  return { envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature), spki };
}

interface Enrolment {
  readonly site: number;
  readonly key: number;
  readonly stage: string;
  readonly region: string;
  readonly hasTopology: boolean;
}

function record({ site, key, stage, region, hasTopology }: Enrolment, nonce: number): NewEntry {
  const topology = {
    apiVersion: 'sealane/v1',
    kind: 'Topology',
    zones: [region],
    nodes: [{ role: 'gateway', tier: 'edge', zone: region, storage: 'ssd' }],
    flows: [],
    ingress: [],
    services: [],
    uplinks: [],
  } as const;
  const payload = siteRecordStatement({
    site: `site-${site}`,
    key: { id: keyAt(key).id, spki: base64(keyAt(key).spki) },
    stage,
    labels: { region, ring: '1' },
    ...(hasTopology ? { topology } : {}),
    nonce: nonce.toString(16).padStart(32, '0'),
    issuedAt: AT,
  });
  return signed(payload, 0);
}

interface Report {
  readonly site: number;
  /** Who signs, and whose key the receipt claims: a receipt of a key that is not the site's says nothing. */
  readonly signer: number;
  readonly claimed: number;
  readonly seq: number;
  readonly event: 'installed' | 'refused' | 'rolled-back' | 'rollback';
  readonly hardware: number;
  readonly variables: number | null;
  readonly release: number | null;
}

const MACHINES: readonly JsonObject[] = [
  machine('2.14.1'),
  machine('2.15.0', { serial: 'B' }),
  machine('2.15.0', { serial: 'C' }),
  { ...machine('1'), components: [{ type: 'device', name: 'VX-8', properties: [{ name: 'cdx:device:function', value: 'camera' }] }] },
  { bomFormat: 'CycloneDX' },
  {},
];

function machine(bios: string, { serial = 'A' }: { readonly serial?: string } = {}): JsonObject {
  const component = {
    type: 'device',
    manufacturer: { name: 'Northrack' },
    name: 'ER-220',
    version: 'A03',
    properties: [{ name: 'sealane:serial', value: serial }],
    components: [{ type: 'firmware', name: 'BIOS', version: bios }],
  };
  return { bomFormat: 'CycloneDX', specVersion: '1.7', metadata: { component } };
}

const release = (at: number | null): Digest | null => (at === null ? null : sha256(utf8(`release ${at}`)));

function receipt({ site, signer, claimed, seq, event, hardware, variables, release: at }: Report): NewEntry {
  const payload = receiptStatement({
    site: `site-${site}`,
    keyId: keyAt(claimed).id,
    seq,
    prev: null,
    event,
    release: release(at),
    waybill: null,
    previous: release(seq),
    reason: null,
    checks: [],
    at: AT,
    hardware: MACHINES[hardware] ?? {},
    ...(variables === null ? {} : { variables: { LIMIT: variables } }),
    checkpoint: null,
    salt: SALT,
  });
  return signed(payload, signer);
}

/** The fleet by reading each statement: what the promoter did before the ledger kept any of it. */
async function fleetByReading(ledger: PastLedger, stage: string, region: string): Promise<readonly FleetSite[]> {
  const fleet: FleetSite[] = [];
  for (const row of new Map((await ledger.sites()).map((each) => [each.site, each])).values()) {
    const { labels, topology } = readSiteRecord((await ledger.entry(row.index)).statement);
    if (row.stage !== stage || labels['region'] !== region) continue;
    const known = topology === undefined ? {} : { topology };
    const own = (await ledger.receiptsOf(row.site)).filter(({ keyId }) => keyId === row.siteKeyId);
    const last = [...own].sort((left, right) => left.seq - right.seq).at(-1);
    if (last === undefined) fleet.push({ site: row.site, hardware: null, reportedAt: null, ...known });
    else {
      const { hardware, at, variables = {}, event, release: named, previous } = readReceipt((await ledger.entry(last.index)).statement);
      const running = event === 'installed' || event === 'rollback' ? named : previous;
      fleet.push({ site: row.site, hardware: foundHardware(hardware), reportedAt: at, running, variables, ...known });
    }
  }
  return fleet;
}

const small = (max: number) => fc.nat({ max });
const enrolment = fc.record({
  site: small(3),
  key: small(2),
  stage: fc.constantFrom('edge-preprod', 'prod', 'prod'),
  region: fc.constantFrom('north', 'south'),
  hasTopology: fc.boolean(),
});
const report = fc.record({
  site: small(3),
  signer: small(2),
  claimed: small(2),
  seq: small(3),
  event: fc.constantFrom('installed', 'refused', 'rolled-back', 'rollback'),
  hardware: small(MACHINES.length - 1),
  variables: fc.option(small(2)),
  release: fc.option(small(2)),
});

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function ledgerOf(entries: readonly NewEntry[]): Promise<Ledger> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-fleet-'));
  folders.push(folder);
  const logSigner = ed25519NoteSigner('lane.example', generateKeyPairSync('ed25519').privateKey);
  const ledger = await openLedger({ file: path.join(folder, 'ledger.sqlite'), origin: 'lane.example', logSigner, now: () => AT });
  await ledger.append(entries);
  return ledger;
}

test('is what reading every record and receipt gives, whoever signed what in which order', async () => {
  const events = fc.array(fc.oneof(enrolment, report), { minLength: 1, maxLength: 24 });
  await fc.assert(
    fc.asyncProperty(events, async (all) => {
      const ledger = await ledgerOf(all.map((each, at) => ('stage' in each ? record(each, at) : receipt(each))));
      try {
        for (let size = 0; size <= (await ledger.size()); size += 1) {
          const past = pastLedger(ledger, size);
          for (const region of ['north', 'south'])
            expect(fleetSites(await past.fleet('prod'), [{ match: { region } }])).toEqual(await fleetByReading(past, 'prod', region));
        }
        await ledger.rebuildProjection();
        expect((await ledger.verify()).problems).toEqual([]);
      } finally {
        await ledger.close();
      }
    }),
    { numRuns: 60 },
  );
});

test('keeps what sites repeat once, and hands it out as one object', async () => {
  const sites = [0, 1, 2, 3];
  const ledger = await ledgerOf([
    ...sites.map((site) => record({ site, key: 1, stage: 'prod', region: 'north', hasTopology: true }, site)),
    ...sites.map((site) =>
      receipt({ site, signer: 1, claimed: 1, seq: 0, event: 'installed', hardware: 1 + (site % 2), variables: 1, release: 1 }),
    ),
  ]);
  const fleet = fleetSites(await ledger.fleet('prod'), [{ match: {} }]);
  expect(fleet).toHaveLength(4);
  // machines 1 and 2 differ in their serials only
  expect(new Set(fleet.map(({ hardware }) => hardware)).size).toBe(1);
  expect(new Set(fleet.map(({ topology }) => topology)).size).toBe(1);
  await ledger.close();
});

test('counts the records of those whose word they are, where these count', async () => {
  const site = { site: 0, key: 2, stage: 'prod', region: 'north', hasTopology: false };
  const { envelope } = record({ ...site, stage: 'dev' }, 1);
  const forged = signed(envelopePayload(envelope), 1);
  const ledger = await ledgerOf([record(site, 0), forged, record({ ...site, region: 'south' }, 2)]);
  const labels = async (size: number, untilIndex: number | null, by = 0): Promise<readonly unknown[]> =>
    (await pastLedger(ledger, size).fleet('prod', undefined, [{ keyId: keyAt(by).id, fromIndex: 0, untilIndex }])).map(
      (each) => each.labels['region'],
    );
  expect(await ledger.fleet('prod', 2)).toEqual([]);
  expect(await labels(2, null)).toEqual(['north']);
  expect(await labels(3, null)).toEqual(['south']);
  expect(await labels(3, 2)).toEqual(['north']);
  expect([await labels(3, 0), await labels(3, null, 2), await ledger.fleet('prod', undefined, [])]).toEqual([[], [], []]);
  await ledger.close();
});
