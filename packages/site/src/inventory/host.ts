/** The machine itself: vendor, model, revision, BIOS, BMC, TPM, from DMI or, on boards without it, the device tree. */
import { knownFact } from '@sealane/core';
import type { DeviceFacts, FirmwareFacts } from './components.js';
import type { InventorySource, InventoryTree } from './source.js';

/** The root device of the inventory. */
export function hostFacts({ tree, system }: InventorySource): DeviceFacts {
  const dmi = (name: string): string | undefined => knownFact(tree.read(`sys/class/dmi/id/${name}`));
  const board = boardFacts(tree);
  return {
    ref: 'host',
    role: 'host',
    vendor: dmi('sys_vendor') ?? dmi('board_vendor') ?? board.vendor,
    model: dmi('product_name') ?? dmi('board_name') ?? board.model,
    revision: dmi('product_version') ?? dmi('board_version'),
    firmware: [
      { name: 'BIOS', version: dmi('bios_version'), properties: { vendor: dmi('bios_vendor'), date: isoDate(dmi('bios_date')) } },
      { name: 'EC', version: dmi('ec_firmware_release') },
      bmcFirmware(tree),
    ],
    properties: {
      arch: knownFact(tree.read('proc/sys/kernel/arch')) ?? system.arch,
      serial: dmi('product_serial') ?? dmi('board_serial') ?? board.serial,
      tpm: tpmVersion(tree),
    },
  };
}

/** ARM and RISC-V boards name themselves in the device tree: `model`, and `compatible` as `vendor,board` texts ended by NUL. */
function boardFacts(tree: InventoryTree): {
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
} {
  const base = 'sys/firmware/devicetree/base';
  const [first] = (tree.read(`${base}/compatible`) ?? '').split('\0');
  const [vendor, board] = (first ?? '').split(',');
  return {
    vendor: board === undefined ? undefined : knownFact(vendor),
    model: knownFact(tree.read(`${base}/model`)),
    serial: knownFact(tree.read(`${base}/serial-number`)),
  };
}

/** The management controller's firmware, where the kernel's IPMI driver has found one. */
function bmcFirmware(tree: InventoryTree): FirmwareFacts {
  const versions = tree.list('sys/class/ipmi').map((name) => knownFact(tree.read(`sys/class/ipmi/${name}/device/bmc/firmware_revision`)));
  return { name: 'BMC', version: versions.find((version) => version !== undefined) };
}

function tpmVersion(tree: InventoryTree): string | undefined {
  const [first] = tree.list('sys/class/tpm').filter((name) => /^tpm\d+$/.test(name));
  const major = first === undefined ? undefined : knownFact(tree.read(`sys/class/tpm/${first}/tpm_version_major`));
  // Before 2.0 there was only 1.2 in use.
  return major === '1' ? '1.2' : major === undefined ? undefined : `${major}.0`;
}

/** DMI writes 11/18/2025. */
function isoDate(text: string | undefined): string | undefined {
  const match = /^(\d\d)\/(\d\d)\/(\d{4})$/.exec(text ?? '');
  return match === null ? text : `${match[3] ?? ''}-${match[1] ?? ''}-${match[2] ?? ''}`;
}
