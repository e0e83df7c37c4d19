/** Documents that gates read, made by hand: device BOMs and a test report. */
import { type JsonObject, utf8 } from '@sealane/core';

/** A device BOM of an edge server; `change` replaces facts, `attached` hangs devices on it. */
export function hbom(
  change: {
    vendor?: string;
    model?: string;
    revision?: string;
    bios?: string;
    serial?: string;
    takenAt?: string;
    attached?: readonly JsonObject[];
  } = {},
): JsonObject {
  const { vendor = 'Northrack', model = 'ER-220', revision = 'A03', bios = '2.14.1', serial = 'NR0001', takenAt, attached } = change;
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.7',
    metadata: {
      ...(takenAt === undefined ? {} : { timestamp: takenAt }),
      component: {
        type: 'device',
        manufacturer: { name: vendor },
        name: model,
        version: revision,
        properties: [{ name: 'sealane:serial', value: serial }],
        components: [{ type: 'firmware', name: 'BIOS', version: bios }],
      },
    },
    ...(attached === undefined ? {} : { components: attached }),
  };
}

/** A device that is attached to a machine, as a component of its BOM. */
export function attached(
  role: string,
  change: { model?: string; revision?: string; firmware?: string; serial?: string; components?: readonly JsonObject[] } = {},
): JsonObject {
  const { model = 'VX-8 Dome', revision = 'HW 1.2', firmware = '10.12', serial = 'OK-1', components = [] } = change;
  return {
    type: 'device',
    manufacturer: { name: 'Okulo' },
    name: model,
    version: revision,
    properties: [
      { name: 'cdx:device:function', value: role },
      { name: 'sealane:serial', value: serial },
    ],
    components: [{ type: 'firmware', name: 'firmware', version: firmware }, ...components],
  };
}

/** A report in which `passed` cases passed and `failed` failed. */
export function junit(passed: number, failed = 0, suite = 'smoke'): Uint8Array {
  const cases = [
    ...Array.from({ length: passed }, (_, n) => `<testcase name="p${n}"/>`),
    ...Array.from({ length: failed }, (_, n) => `<testcase name="f${n}"><failure/></testcase>`),
  ];
  return utf8(`<testsuites name="${suite}"><testsuite name="unit">${cases.join('')}</testsuite></testsuites>`);
}
