/** `sealane-site inventory`: the hardware of this host, for a lab's evidence or to see what a site would report. */
import path from 'node:path';
import {
  compareHardware,
  DEFAULT_REQUIRED_FACTS,
  HARDWARE_FACTS,
  hardwareClass,
  hardwareFacts,
  type JsonObject,
  SiteError,
  utf8,
} from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { nodeDisk } from '../disk.js';
import { writeOutput } from '../durable-write.js';
import { collectHardware } from '../hardware-shell.js';
import { untoldCondition } from '../inventory/condition.js';

/** The command. */
export const command: CommandSpec = {
  name: 'inventory',
  summary: 'collect the hardware of this host',
  options: [
    { flags: '--out <file>', description: 'write the inventory (CycloneDX JSON) to this file' },
    {
      flags: '--devices <file>',
      description: 'add the components of this CycloneDX file: cameras, PLCs, what the host cannot see',
      repeat: true,
    },
    { flags: '--root <dir>', description: 'read below this folder instead of / (a copied tree with sys/ and proc/)' },
  ],
  example: 'sealane-site inventory --out hbom.json',
  run: (call) => Promise.resolve(inventory(call)),
};

function inventory({ options, io }: CommandCall): CommandResult {
  const root = path.resolve(io.cwd, textOf(options.root) ?? '/');
  if (!['folder', 'link'].includes(nodeDisk.kind(root)))
    throw new SiteError('USAGE', `collect the hardware below ${root}: expected a folder, got nothing of the kind`);
  const devices = (Array.isArray(options.devices) ? options.devices : []).map((file: string) => path.resolve(io.cwd, file));
  const hbom = collectHardware(nodeDisk, { root, from: 'here', devices }, (line) => io.talk(`${line}\n`));
  const text = `${JSON.stringify(hbom, null, 1)}\n`;
  const out = textOf(options.out);
  if (out === undefined) return { exit: 0, json: hbom, text, ...hintOf(hbom) };
  const file = path.resolve(io.cwd, out);
  writeOutput(nodeDisk, file, utf8(text));
  const facts = hardwareFacts(hbom);
  return {
    exit: 0,
    json: { out: file, class: hardwareClass(facts), facts, untold: untoldIn(hbom as unknown as Inventory) },
    text: `the inventory of this host is in ${file}`,
    ...hintOf(hbom),
  };
}

/** Says what is not known: facts without which by default no site is covered, and how the host is just now. */
function hintOf(hbom: JsonObject): { readonly hint?: string } {
  const facts = hardwareFacts(hbom);
  const { unknown } = compareHardware({ tested: facts, site: facts, require: HARDWARE_FACTS });
  const wanted: readonly string[] = [...DEFAULT_REQUIRED_FACTS, 'arch', 'cpu'];
  const missing = unknown.filter((fact) => wanted.includes(fact));
  const untold = untoldIn(hbom as unknown as Inventory);
  const lines = [
    ...(missing.length === 0
      ? []
      : [`not known on this host: ${missing.join(', ')} (root may see more); policy's hardware.require must not ask for them`]),
    ...(untold.length === 0 ? [] : [`unknown, and needed by no gate: ${untold.join(', ')}`]),
  ];
  return lines.length === 0 ? {} : { hint: lines.join('; ') };
}

/** A device as this program has just written it. */
interface Component {
  readonly name: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

interface Inventory {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

function untoldIn({ metadata, components }: Inventory): readonly string[] {
  const told = ({ properties = [] }: Component): readonly string[] => properties.map(({ name }) => name);
  const isDisk = ({ properties = [] }: Component): boolean =>
    properties.some(({ name, value }) => name === 'cdx:device:function' && value === 'disk');
  return untoldCondition(
    told(metadata.component),
    components.filter(isDisk).map((disk) => ({ model: disk.name, told: told(disk) })),
  );
}

function textOf(value: CommandCall['options'][string]): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
