/**
 * Network cards, GPUs and accelerators on the PCI bus.
 *
 * A device is named by its ids, not by the words of `pci.ids`: those differ between the versions of a data base at lab and site.
 */
import { knownFact } from '@sealane/core';
import type { DeviceFacts, FirmwareFacts } from './components.js';
import type { InventorySource } from './source.js';

const DEVICES = 'sys/bus/pci/devices';

/** PCI base classes (PCI Code and ID Assignment Specification) of the devices that a workload's behaviour hangs on. */
const ROLES: Readonly<Record<string, string>> = { '02': 'network', '03': 'display', '12': 'accelerator' };

/** Network cards, GPUs and accelerators, by slot. Virtual functions are left out: they come and go with configuration. */
export function pciFacts(source: InventorySource): readonly DeviceFacts[] {
  const names = slotNames(source.runCommand(['lspci', '-vmm']) ?? '');
  const counts = new Map<string, number>();
  return source.tree.list(DEVICES).flatMap((slot) => {
    const device = deviceFacts(source, slot, names);
    if (device === undefined) return [];
    const count = counts.get(device.role) ?? 0;
    counts.set(device.role, count + 1);
    return [{ ...device, ref: `${device.role}${count}` }];
  });
}

function deviceFacts(source: InventorySource, slot: string, names: ReadonlyMap<string, string>): DeviceFacts | undefined {
  const { tree } = source;
  const id = (name: string): string | undefined => /^0x([0-9a-f]+)/.exec(tree.read(`${DEVICES}/${slot}/${name}`) ?? '')?.[1];
  const role = ROLES[id('class')?.slice(0, 2) ?? ''];
  // most are bridges: nothing else of them is read, at each poll
  if (role === undefined) return undefined;
  const entries = tree.list(`${DEVICES}/${slot}`);
  const [vendor, device, subVendor, subDevice] = [id('vendor'), id('device'), id('subsystem_vendor'), id('subsystem_device')];
  if (vendor === undefined || device === undefined || entries.includes('physfn')) return undefined;
  const pci = `${vendor}:${device}`;
  const subsystem = subVendor === undefined || subDevice === undefined ? undefined : `${subVendor}:${subDevice}`;
  const interfaces = tree.list(`${DEVICES}/${slot}/net`);
  return {
    ref: '',
    role,
    model: subsystem === undefined ? `PCI ${pci}` : `PCI ${pci} subsystem ${subsystem}`,
    revision: id('revision'),
    description: names.get(slot) ?? names.get(slot.replace(/^0000:/, '')),
    firmware: [nicFirmware(source, interfaces), ...gpuFirmware(source, slot)],
    properties: { slot, pci, subsystem, mac: macs(source, slot, interfaces) },
  };
}

/** NIC firmware comes from an ioctl that `ethtool` makes, not from /sys. Ports of one card have one firmware. */
function nicFirmware({ runCommand }: InventorySource, interfaces: readonly string[]): FirmwareFacts {
  const versions = interfaces
    .filter(isPlainName)
    .map((name) => /^firmware-version:[ \t]*(.*)$/m.exec(runCommand(['ethtool', '-i', name]) ?? '')?.[1]);
  return { name: 'NVM', version: versions.map(knownFact).find((version) => version !== undefined) };
}

/** NVIDIA's driver tells its VBIOS under /proc, AMD's beside the device. */
function gpuFirmware({ tree }: InventorySource, slot: string): readonly FirmwareFacts[] {
  const nvidia = /^Video BIOS:\s*(.+)$/m.exec(tree.read(`proc/driver/nvidia/gpus/${slot}/information`) ?? '')?.[1];
  // What the driver prints before it has talked to the card.
  const version = nvidia?.includes('??') === true ? undefined : nvidia;
  return [{ name: 'VBIOS', version: version ?? tree.read(`${DEVICES}/${slot}/vbios_version`) }];
}

function macs({ tree }: InventorySource, slot: string, interfaces: readonly string[]): string | undefined {
  const known = interfaces.map((name) => knownFact(tree.read(`${DEVICES}/${slot}/net/${name}/address`))).filter((mac) => mac !== undefined);
  return known.length === 0 ? undefined : known.join(' ');
}

/** An interface may be called anything but `/`; only what cannot be read as a flag is handed to a tool. */
function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9][\w.:-]{0,31}$/.test(name);
}

/** Slot → words of `lspci -vmm`, for people. */
function slotNames(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\n\s*\n/).flatMap((record) => {
      const field = (name: string): string | undefined => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(record)?.[1];
      const [slot, vendor, device] = [field('Slot'), field('Vendor'), field('Device')];
      return slot === undefined ? [] : [[slot, [vendor, device].filter((word) => word !== undefined).join(' ')] as const];
    }),
  );
}
