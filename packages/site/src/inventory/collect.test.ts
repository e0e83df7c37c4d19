import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson, compareHardware, hardwareClass, hardwareFacts, hardwareSerial, type JsonObject } from '@sealane/core';
import { collectInventory } from './collect.js';
import { inventorySource } from './inventory-shell.js';
import type { InventorySource } from './source.js';

const vectors = fileURLToPath(new URL('../../../../test/vectors/hbom/', import.meta.url));
const when = { takenAt: '2026-11-24T10:00:00Z', toolVersion: '0.1.0' };

interface Tree {
  readonly file: string;
  readonly facts?: {
    readonly vendor: string;
    readonly model: string;
    readonly revision: string;
    readonly bios: string;
    readonly nics: readonly { slot: string; pci: string; subsystem: string; revision: string; firmware: string }[];
    readonly disks: readonly { model: string; firmware: string; bytes: number }[];
    readonly tpm: number;
    readonly microcode: string;
  };
  readonly neverInClass?: readonly string[];
}

const { trees } = JSON.parse(readFileSync(path.join(vectors, 'manifest.json'), 'utf8')) as { trees: Tree[] };
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sealane-inventory-'));
  for (const { file } of trees) {
    mkdirSync(path.join(folder, file));
    execFileSync('tar', ['-xf', path.join(vectors, file), '-C', path.join(folder, file)]);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const collect = (file: string): JsonObject => collectInventory(inventorySource(path.join(folder, file)), when);

type Device = JsonObject & {
  readonly name: string;
  readonly components?: readonly JsonObject[];
  readonly properties?: readonly { name: string; value: string }[];
};
const devices = (hbom: JsonObject, role: string): readonly Device[] =>
  (hbom.components as unknown as Device[]).filter((each) => property(each, 'cdx:device:function') === role);
const property = (device: Device, name: string): string | undefined => device.properties?.find((each) => each.name === name)?.value;
const firmware = (device: Device): unknown => device.components?.[0]?.version;
const host = (hbom: JsonObject): Device => (hbom.metadata as JsonObject).component as unknown as Device;

/** A source of exactly these files. */
function files(contents: Readonly<Record<string, string>>, commands: Readonly<Record<string, string>> = {}, system = {}): InventorySource {
  const names = Object.keys(contents);
  return {
    tree: {
      read: (file) => contents[file],
      list: (place) =>
        [
          ...new Set(names.filter((name) => name.startsWith(`${place}/`)).map((name) => name.slice(place.length + 1).split('/')[0] ?? '')),
        ].sort(),
      resolve: (file) => contents[`${file}@`],
    },
    runCommand: (argv) => commands[argv.join(' ')],
    system,
  };
}

describe('the fake trees of hbom', () => {
  test('give the facts of the manifest', () => {
    for (const { file, facts } of trees) {
      if (facts === undefined) continue;
      const hbom = collect(file);
      expect(hardwareFacts(hbom)).toMatchObject({
        vendor: facts.vendor,
        model: facts.model,
        revision: facts.revision,
        firmware: { BIOS: facts.bios },
      });
      const nics = devices(hbom, 'network').map((nic) => ({
        slot: property(nic, 'sealane:slot'),
        pci: property(nic, 'sealane:pci'),
        subsystem: property(nic, 'sealane:subsystem'),
        revision: nic.version,
        firmware: firmware(nic),
      }));
      expect(nics).toEqual(facts.nics);
      expect(
        devices(hbom, 'disk').map((disk) => ({
          model: disk.name,
          firmware: firmware(disk),
          bytes: Number(property(disk, 'sealane:bytes')),
        })),
      ).toEqual(facts.disks);
      expect(Number(property(host(hbom), 'sealane:tpm'))).toBe(facts.tpm);
      expect(devices(hbom, 'cpu').map(firmware)).toEqual([facts.microcode]);
      expect(devices(hbom, 'display').map(({ name }) => name)).toEqual(['PCI 10de:27b8 subsystem 10de:16ca']);
    }
  });

  test('keep serials and MACs out of the class, and in the inventory', () => {
    for (const { file, neverInClass = [] } of trees) {
      const hbom = collect(file);
      for (const secret of neverInClass) {
        expect(JSON.stringify(hardwareFacts(hbom))).not.toContain(secret);
        expect(JSON.stringify(hbom)).toContain(secret);
      }
    }
    expect(hardwareSerial(collect('sys-edge-server-a.tar'))).toBe('NR0001');
  });

  test('differ where only the NIC firmware differs', () => {
    const [a, b] = ['sys-edge-server-a.tar', 'sys-edge-server-nic-fw.tar'].map((file) => hardwareFacts(collect(file)));
    const { covered, differences } = compareHardware({ tested: a!, site: b!, require: [] });
    expect(covered).toBe(false);
    expect(differences.map(({ fact }) => fact)).toEqual(['firmware', 'parts']);
    expect(differences[0]).toEqual({
      fact: 'firmware',
      tested: 'PCI 8086:1572 subsystem 8086:0008 02: NVM 9.20 0x8000d8a4 1.3353.0',
      site: 'PCI 8086:1572 subsystem 8086:0008 02: NVM 9.40 0x8000e3f1 1.3353.0',
    });
    expect(hardwareClass(a!)).not.toBe(hardwareClass(b!));
  });

  test('without DMI know no vendor, model, revision or BIOS: not even its twin is covered', () => {
    const hbom = collect('sys-no-dmi.tar');
    const facts = hardwareFacts(hbom);
    expect(Object.keys(facts).sort()).toEqual(['cpu', 'firmware', 'parts']);
    expect(facts.firmware).toEqual({});
    expect(compareHardware({ tested: facts, site: facts, require: [] })).toMatchObject({
      covered: false,
      unknown: ['vendor', 'model', 'revision', 'firmware'],
    });
  });

  test('ask nothing of this machine', () => {
    expect(JSON.stringify(collect('sys-no-dmi.tar'))).not.toContain('sealane:arch');
  });
});

describe('a collection', () => {
  test('is the same again but for the time, has no empty fact, and is canonical JSON', () => {
    const hbom = collect('sys-edge-server-a.tar');
    expect(collect('sys-edge-server-a.tar')).toEqual(hbom);
    expect(() => canonicalJson(hbom)).not.toThrow();
    const empty: unknown[] = [];
    JSON.stringify(hbom, (key, value: unknown) => {
      if (value === '' || value === null || (Array.isArray(value) && value.length === 0)) empty.push(key);
      return value;
    });
    expect(empty).toEqual([]);
  });

  test('of nothing at all is a device BOM that knows nothing', () => {
    const hbom = collectInventory(files({}), when);
    expect(hardwareFacts(hbom)).toEqual({ firmware: {}, parts: [] });
    expect(hbom.components).toEqual([]);
  });

  test('takes architecture and processor from the running system where the tree is silent, as on macOS', () => {
    const facts = hardwareFacts(collectInventory(files({}, {}, { arch: 'arm64', cpuModel: () => 'Apple M4' }), when));
    expect(facts).toMatchObject({ arch: 'arm64', cpu: 'Apple M4' });
    const linux = files(
      {
        'proc/sys/kernel/arch': 'aarch64\n',
        'proc/cpuinfo':
          'processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\nCPU variant\t: 0x4\nCPU revision\t: 0\n\nHardware\t: BCM2712\n',
      },
      {},
      { arch: 'x', cpuModel: () => 'y' },
    );
    expect(hardwareFacts(collectInventory(linux, when))).toMatchObject({
      arch: 'aarch64',
      cpu: 'ARM implementer 0x41 part 0xd0b variant 0x4 revision 0',
    });
  });

  test("reads a board's name from the device tree", () => {
    const base = 'sys/firmware/devicetree/base';
    const board = files({
      [`${base}/compatible`]: 'raspberrypi,5-model-b\0brcm,bcm2712\0',
      [`${base}/model`]: 'Raspberry Pi 5 Model B Rev 1.0\0',
      [`${base}/serial-number`]: '10000000abc\0',
    });
    const hbom = collectInventory(board, when);
    expect(hardwareFacts(hbom)).toMatchObject({ vendor: 'raspberrypi', model: 'Raspberry Pi 5 Model B Rev 1.0' });
    expect(hardwareSerial(hbom)).toBe('10000000abc');
  });

  test('reads the BMC through IPMI, and the virtual machine of the samples', () => {
    const bmc = files({ 'sys/class/ipmi/ipmi0/device/bmc/firmware_revision': '7.10\n' });
    expect(hardwareFacts(collectInventory(bmc, when)).firmware).toEqual({ BMC: '7.10' });
    const machine = files({ 'proc/cpuinfo': readFileSync(path.join(vectors, 'raw/cpuinfo.txt'), 'utf8') });
    expect(hardwareFacts(collectInventory(machine, when))).toMatchObject({ cpu: 'AMD AMD EPYC stepping 1', firmware: {} });
  });

  test("leaves out a courier's stick, USB and network disks, SD cards and virtual functions", () => {
    const disk = (name: string, removable: string) => ({
      [`sys/block/${name}/device/model`]: 'Stick',
      [`sys/block/${name}/device/rev`]: '1',
      [`sys/block/${name}/removable`]: removable,
    });
    const source = files({
      ...disk('sda', '1'),
      ...disk('sdb', '0'),
      'sys/block/sdb/device@': '/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/host6/target6:0:0/6:0:0:0',
      'sys/class/nvme/nvme0/model': 'Remote',
      'sys/class/nvme/nvme0/transport': 'tcp',
      'sys/block/mmcblk0/device/type': 'SD',
      'sys/block/mmcblk0/device/name': 'SD64G',
      'sys/bus/pci/devices/0000:01:10.0/class': '0x020000',
      'sys/bus/pci/devices/0000:01:10.0/vendor': '0x8086',
      'sys/bus/pci/devices/0000:01:10.0/device': '0x154c',
      'sys/bus/pci/devices/0000:01:10.0/physfn/vendor': '0x8086',
    });
    expect(collectInventory(source, when).components).toEqual([]);
  });

  test('reads SATA disks and eMMC, whose vendor is not called ATA', () => {
    const source = files({
      'sys/block/sda/device/vendor': 'ATA     \n',
      'sys/block/sda/device/model': 'WDC WD40EFRX\n',
      'sys/block/sda/device/rev': '0A82\n',
      'sys/block/sda/size': '2048\n',
      'sys/block/mmcblk0/device/type': 'MMC\n',
      'sys/block/mmcblk0/device/name': 'DG4064\n',
      'sys/block/mmcblk0/device/fwrev': '0x1100000000000000\n',
    });
    const { parts } = hardwareFacts(collectInventory(source, when));
    expect(parts).toEqual(
      [
        { firmware: { 'disk firmware': '0A82' }, model: 'WDC WD40EFRX' },
        { firmware: { 'disk firmware': '0x1100000000000000' }, model: 'DG4064' },
      ].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    );
  });

  test('never hands an interface name to a tool that could be read as a flag', () => {
    const ran: string[] = [];
    const base = 'sys/bus/pci/devices/0000:01:00.0';
    const source = files({
      [`${base}/class`]: '0x020000',
      [`${base}/vendor`]: '0x8086',
      [`${base}/device`]: '0x1572',
      [`${base}/net/-evil/address`]: 'x',
      [`${base}/net/a b/address`]: 'x',
    });
    collectInventory(
      {
        ...source,
        runCommand: (argv) => {
          ran.push(argv.join(' '));
          return undefined;
        },
      },
      when,
    );
    expect(ran).toEqual(['df -l -P -B1', 'lspci -vmm']);
  });

  test('of any files is a device BOM without unknown fields, never a crash', () => {
    const names = [
      'sys/class/dmi/id/sys_vendor',
      'sys/class/dmi/id/bios_version',
      'sys/class/dmi/id/bios_date',
      'proc/cpuinfo',
      'proc/sys/kernel/arch',
      'sys/class/tpm/tpm0/tpm_version_major',
      'sys/bus/pci/devices/0000:01:00.0/class',
      'sys/bus/pci/devices/0000:01:00.0/vendor',
      'sys/bus/pci/devices/0000:01:00.0/device',
      'sys/block/sda/device/model',
      'sys/block/sda/size',
      'sys/class/nvme/nvme0/model',
      'sys/class/nvme/nvme0/nvme0n1/size',
      'sys/firmware/devicetree/base/compatible',
    ];
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('0x020000', '0x8086', 'processor: 0\nmodel name: x', '1', '99999999999999999999'),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), text), fc.string({ unit: 'binary' }), (contents, output) => {
        const hbom = collectInventory({ ...files(contents), runCommand: () => output }, when);
        expect(hardwareClass(hardwareFacts(JSON.parse(JSON.stringify(hbom)) as JsonObject))).toBe(hardwareClass(hardwareFacts(hbom)));
      }),
      { numRuns: 100 },
    );
  });
});

describe('this machine', () => {
  test('has an architecture and a processor', () => {
    const facts = hardwareFacts(collectInventory(inventorySource('/'), when));
    expect(facts.arch).toBeDefined();
    expect(facts.cpu).toBeDefined();
  });

  test('a file that cannot be read makes a fact unknown', () => {
    const root = path.join(folder, 'forbidden');
    mkdirSync(path.join(root, 'sys/class/dmi/id/sys_vendor'), { recursive: true });
    writeFileSync(path.join(root, 'sys/class/dmi/id/product_name'), 'ER-220\n');
    expect(hardwareFacts(collectInventory(inventorySource(root), when))).toEqual({ model: 'ER-220', firmware: {}, parts: [] });
  });
});
