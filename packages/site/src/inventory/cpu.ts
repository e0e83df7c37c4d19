/** Processors, one for each socket, with their microcode. */
import { knownFact } from '@sealane/core';
import type { DeviceFacts } from './components.js';
import type { InventorySource } from './source.js';

type CpuBlock = ReadonlyMap<string, string>;

const VENDORS: Readonly<Record<string, string>> = { AuthenticAMD: 'AMD', GenuineIntel: 'Intel' };

/** The processors that `proc/cpuinfo` tells of; else the one that the running system names. */
export function cpuFacts({ tree, system }: InventorySource): readonly DeviceFacts[] {
  const sockets = new Map<string, CpuBlock>();
  for (const block of cpuBlocks(tree.read('proc/cpuinfo') ?? '')) {
    const socket = block.get('physical id') ?? '0';
    if (!sockets.has(socket)) sockets.set(socket, block);
  }
  const microcode = tree.read('sys/devices/system/cpu/cpu0/microcode/version');
  const found = [...sockets.values()]
    .map((block, index) => socketFacts(block, index, microcode))
    .filter(({ model }) => model !== undefined);
  if (found.length > 0) return found;
  const model = knownFact(system.cpuModel?.());
  return model === undefined ? [] : [{ ref: 'cpu0', role: 'cpu', model }];
}

function socketFacts(block: CpuBlock, index: number, microcode: string | undefined): DeviceFacts {
  const vendor = block.get('vendor_id');
  const stepping = block.get('stepping');
  return {
    ref: `cpu${index}`,
    role: 'cpu',
    vendor: vendor === undefined ? undefined : Object.hasOwn(VENDORS, vendor) ? VENDORS[vendor] : vendor,
    model: block.get('model name') ?? armModel(block) ?? block.get('uarch') ?? block.get('isa'),
    revision: stepping === undefined ? armRevision(block) : `stepping ${stepping}`,
    firmware: [{ name: 'microcode', version: block.get('microcode') ?? microcode }],
    properties: { slot: `CPU${index}`, cores: block.get('cpu cores') },
  };
}

/** 64-bit ARM has no names, only numbers that Arm and its licensees assign. */
function armModel(block: CpuBlock): string | undefined {
  const [implementer, part] = [block.get('CPU implementer'), block.get('CPU part')];
  return implementer === undefined || part === undefined ? undefined : `ARM implementer ${implementer} part ${part}`;
}

function armRevision(block: CpuBlock): string | undefined {
  const [variant, revision] = [block.get('CPU variant'), block.get('CPU revision')];
  return variant === undefined || revision === undefined ? undefined : `variant ${variant} revision ${revision}`;
}

/** `key : value` lines, a blank line between processors. A block without any processor's field (the Raspberry Pi's last one) is none. */
function cpuBlocks(text: string): readonly CpuBlock[] {
  return text
    .split(/\n\s*\n/)
    .map((block) => new Map(block.split('\n').flatMap(cpuField)))
    .filter((block) => block.has('processor'));
}

function cpuField(line: string): readonly (readonly [string, string])[] {
  const at = line.indexOf(':');
  const value = at < 0 ? undefined : (knownFact(line.slice(at + 1)) ?? zero(line.slice(at + 1)));
  return value === undefined ? [] : [[line.slice(0, at).trim(), value]];
}

/** Numbers here may be 0, which as a board maker's text would be no fact. */
function zero(text: string): string | undefined {
  return /^\s*(?:0|0x0)\s*$/.test(text) ? text.trim() : undefined;
}
