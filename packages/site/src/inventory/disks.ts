/** Disks that belong to the machine: NVMe, SATA and SAS, eMMC. What is plugged in, virtual or made of others is none. */
import { knownFact } from '@sealane/core';
import type { DeviceFacts } from './components.js';
import { diskWear, mmcWear } from './condition.js';
import type { InventorySource, InventoryTree } from './source.js';

/** The kernel counts disks in sectors of this many bytes, whatever the disk's own are. */
const SECTOR_BYTES = 512;

/** The fixed disks of which at least the model is known. */
export function diskFacts(source: InventorySource): readonly DeviceFacts[] {
  const disks = [...nvmeFacts(source), ...blockFacts(source)].filter(({ model }) => model !== undefined);
  return disks.map((disk, index) => ({ ...disk, ref: `disk${index}` }));
}

function nvmeFacts(source: InventorySource): readonly DeviceFacts[] {
  const { tree } = source;
  return tree.list('sys/class/nvme').flatMap((name) => {
    const base = `sys/class/nvme/${name}`;
    // NVMe over a network is somebody else's disk
    if ((knownFact(tree.read(`${base}/transport`)) ?? 'pcie') !== 'pcie') return [];
    const spaces = tree.list(base).filter((entry) => /^nvme\d+n\d+$/.test(entry));
    const sectors = spaces.map((space) => Number(tree.read(`${base}/${space}/size`) ?? '0'));
    return [
      {
        ref: '',
        role: 'disk',
        model: knownFact(tree.read(`${base}/model`)),
        firmware: [{ name: 'SSD firmware', version: tree.read(`${base}/firmware_rev`) }],
        properties: {
          slot: tree.read(`${base}/address`),
          serial: tree.read(`${base}/serial`),
          bytes: bytesOf(sectors),
          wear: diskWear(source, name),
        },
      },
    ];
  });
}

function blockFacts(source: InventorySource): readonly DeviceFacts[] {
  const { tree } = source;
  return tree.list('sys/block').flatMap((name) => {
    if (/^(?:sd[a-z]+|hd[a-z]+)$/.test(name)) return scsiFacts(source, name);
    return /^mmcblk\d+$/.test(name) ? mmcFacts(tree, `sys/block/${name}`) : [];
  });
}

/** A courier's stick must not make another machine of this one: removable and USB disks are left out. */
function scsiFacts(source: InventorySource, name: string): readonly DeviceFacts[] {
  const { tree } = source;
  const base = `sys/block/${name}`;
  const place = tree.resolve(`${base}/device`) ?? '';
  if (knownFact(tree.read(`${base}/removable`)) === '1' || /\/usb\d/.test(place)) return [];
  const vendor = knownFact(tree.read(`${base}/device/vendor`));
  return [
    {
      ref: '',
      role: 'disk',
      // every SATA disk calls its vendor so
      vendor: vendor === 'ATA' ? undefined : vendor,
      model: knownFact(tree.read(`${base}/device/model`)),
      firmware: [{ name: 'disk firmware', version: tree.read(`${base}/device/rev`) }],
      properties: {
        serial: tree.read(`${base}/device/serial`),
        bytes: bytesOf([Number(tree.read(`${base}/size`) ?? '0')]),
        wear: diskWear(source, name),
      },
    },
  ];
}

/** eMMC is soldered in (type MMC); an SD card is not. */
function mmcFacts(tree: InventoryTree, base: string): readonly DeviceFacts[] {
  if (knownFact(tree.read(`${base}/device/type`)) !== 'MMC') return [];
  return [
    {
      ref: '',
      role: 'disk',
      vendor: tree.read(`${base}/device/manfid`),
      model: knownFact(tree.read(`${base}/device/name`)),
      firmware: [{ name: 'disk firmware', version: tree.read(`${base}/device/fwrev`) }],
      properties: {
        serial: tree.read(`${base}/device/serial`),
        bytes: bytesOf([Number(tree.read(`${base}/size`) ?? '0')]),
        wear: mmcWear(tree, base),
      },
    },
  ];
}

function bytesOf(sectors: readonly number[]): string | undefined {
  const total = sectors.reduce((sum, each) => sum + each, 0) * SECTOR_BYTES;
  return Number.isSafeInteger(total) && total > 0 ? String(total) : undefined;
}
