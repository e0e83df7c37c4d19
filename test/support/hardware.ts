/** Machines for tests: a tree below which a host is seen, and files that name what is attached to it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a test says of a machine; the rest is usual. */
export interface Machine {
  readonly serial: string;
  readonly bios?: string;
  /** Version of the network card's firmware. */
  readonly nic?: string;
  /** Cameras by their serial, with their firmware. */
  readonly cameras?: Readonly<Record<string, string>>;
}

/** A machine on disk: `root` for what the collector sees, `devices` for what it cannot. */
export interface MachineFiles {
  readonly root: string;
  readonly devices: string;
}

/** Writes a machine below `dir`; writing it again changes it. */
export function writeMachine(dir: string, { serial, bios = '2.14.1', nic = '9.20', cameras = {} }: Machine): MachineFiles {
  const [root, devices] = [path.join(dir, 'machine'), path.join(dir, 'devices.cdx.json')];
  const dmi = path.join(root, 'sys', 'class', 'dmi', 'id');
  mkdirSync(dmi, { recursive: true });
  const facts = { sys_vendor: 'Northrack', product_name: 'ER-220', product_version: 'A03', product_serial: serial, bios_version: bios };
  for (const [name, text] of Object.entries(facts)) writeFileSync(path.join(dmi, name), `${text}\n`);
  const card = device('nic', { vendor: 'Intel', name: 'X710', version: '02', serial: `${serial}-nic`, firmware: nic });
  const dome = Object.entries(cameras).map(([camera, firmware]) =>
    device('camera', { vendor: 'Okulo', name: 'VX-8', version: 'HW 1.2', serial: camera, firmware }),
  );
  writeFileSync(devices, JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.7', components: [card, ...dome] }));
  return { root, devices };
}

/** As `writeMachine`, with a processor: all that a policy asks for by default. Returns the root. */
export function writeWholeMachine(dir: string, machine: Machine): string {
  const { root } = writeMachine(dir, machine);
  mkdirSync(path.join(root, 'proc', 'sys', 'kernel'), { recursive: true });
  writeFileSync(path.join(root, 'proc', 'sys', 'kernel', 'arch'), 'x86_64\n');
  writeFileSync(
    path.join(root, 'proc', 'cpuinfo'),
    'processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Northrack E1\nstepping\t: 1\nphysical id\t: 0\n\n',
  );
  return root;
}

interface Device {
  readonly vendor: string;
  readonly name: string;
  readonly version: string;
  readonly serial: string;
  readonly firmware: string;
}

function device(role: string, { vendor, name, version, serial, firmware }: Device): object {
  return {
    type: 'device',
    manufacturer: { name: vendor },
    name,
    version,
    properties: [
      { name: 'cdx:device:function', value: role },
      { name: 'sealane:serial', value: serial },
    ],
    components: [{ type: 'firmware', name: 'firmware', version: firmware }],
  };
}
