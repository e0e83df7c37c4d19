import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from './canonical-json.js';
import type { CoreError } from './errors.js';
import { hardwareDrift } from './hardware-drift.js';

const folder = new URL('../../../test/vectors/hbom/', import.meta.url);
const text = (file: string): string => readFileSync(new URL(`${file}.cdx.json`, folder), 'utf8');
const bom = (file: string): JsonObject => JSON.parse(text(file)) as JsonObject;
const edited = (from: string, to: string): JsonObject => {
  expect(text('edge-server-a')).toContain(from);
  return JSON.parse(text('edge-server-a').replaceAll(from, to)) as JsonObject;
};
const server = bom('edge-server-a');

describe('drift of a machine', () => {
  test('none against itself, in another order, in another slot, under another MAC', () => {
    const nothing = { units: [], firmware: [] };
    expect(hardwareDrift(server, server)).toEqual(nothing);
    expect(hardwareDrift(server, { ...server, components: [...(server.components as readonly JsonObject[])].reverse() })).toEqual(nothing);
    expect(hardwareDrift(server, edited('0000:3b:00.0', '0000:3c:00.0'))).toEqual(nothing);
    expect(hardwareDrift(server, edited('02:00:00:00:00:01', '02:00:00:00:00:09'))).toEqual(nothing);
  });

  test('its twin of the same class is another machine, and so are its disks', () => {
    const { units } = hardwareDrift(server, bom('edge-server-a-twin'));
    expect(units).toContain('gone: Northrack ER-220 A03, serial NR0001');
    expect(units).toContain('new: Northrack ER-220 A03, serial NR0002');
  });

  test('a part swapped for one of the same class is seen by its serial', () => {
    expect(hardwareDrift(server, edited('S64NR0001', 'S64NR0077')).units).toEqual([
      'gone: Samsung MZQL2960HCJR-00A07, serial S64NR0001',
      'new: Samsung MZQL2960HCJR-00A07, serial S64NR0077',
    ]);
  });

  test('other firmware on the same parts is drift of firmware only', () => {
    const { units, firmware } = hardwareDrift(server, bom('edge-server-nic-fw'));
    expect(units.filter((line) => line.includes('X710'))).toEqual([]);
    expect(firmware.filter((line) => line.includes('X710'))).toEqual([
      'gone: Intel Ethernet Controller X710 for 10GbE SFP+ 02: NVM 9.20',
      'new: Intel Ethernet Controller X710 for 10GbE SFP+ 02: NVM 9.40',
    ]);
  });

  test('a part that was taken out, one that was added, and one more of the same kind', () => {
    const parts = server.components as readonly JsonObject[];
    const [cpu] = parts;
    expect(hardwareDrift(server, { ...server, components: parts.slice(1) }).units).toEqual(['gone: Intel Xeon D-2776NT stepping 1']);
    expect(hardwareDrift(server, { ...server, components: [...parts, ...(cpu === undefined ? [] : [cpu])] }).units).toEqual([
      'new: Intel Xeon D-2776NT stepping 1',
    ]);
  });

  test('a device that is attached counts with its serial', () => {
    const camera = (serial: string): JsonObject => ({
      type: 'device',
      name: 'VX-8',
      properties: [
        { name: 'cdx:device:function', value: 'camera' },
        { name: 'sealane:serial', value: serial },
      ],
    });
    const at = (serial: string): JsonObject => ({ ...server, components: [camera(serial)] });
    expect(hardwareDrift(at('OK-1'), at('OK-2')).units).toEqual(['gone: VX-8, serial OK-1', 'new: VX-8, serial OK-2']);
  });

  test('lists so many lines and counts the rest', () => {
    const many = Array.from({ length: 40 }, (_, n) => ({ type: 'device', name: `module ${n}` }));
    expect(hardwareDrift(server, { ...server, components: [...(server.components as readonly JsonObject[]), ...many] }).units).toHaveLength(
      17,
    );
  });

  test('refuses what is no device BOM', () => {
    expect(() => hardwareDrift(server, {})).toThrow(expect.objectContaining({ code: 'HBOM_MALFORMED' }) as CoreError);
  });
});
