import { hardwareDevices, type JsonObject, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { withAttached } from './attached.js';

const host: JsonObject = {
  bomFormat: 'CycloneDX',
  specVersion: '1.7',
  metadata: { component: { type: 'device', name: 'ER-220' } },
  components: [{ type: 'device', name: 'disk' }],
};
const camera = { type: 'device', name: 'VX-8', properties: [{ name: 'cdx:device:function', value: 'camera' }] };
const document = (change: JsonObject = {}): string =>
  JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.7', components: [camera], ...change });

/** The roles of what is attached, and the lines told, when the one file has this text. */
function attachedOf(text: string | undefined): { readonly roles: readonly string[]; readonly told: readonly string[] } {
  const told: string[] = [];
  const read = (_: string, maxBytes: number) => (text === undefined ? undefined : utf8(text).subarray(0, maxBytes + 1));
  const hbom = withAttached(host, ['devices.cdx.json'], { read, talk: (line) => told.push(line) });
  return { roles: hardwareDevices(hbom).map(({ role }) => role), told };
}

describe('devices that files name', () => {
  test('join the inventory beside what the host sees; without files it stays as it is', () => {
    expect(attachedOf(document())).toEqual({ roles: ['host', 'camera'], told: [] });
    expect(withAttached(host, [], { read: () => undefined, talk: () => undefined })).toBe(host);
  });

  test.each([
    ['is not there', undefined],
    ['is empty', ''],
    ['is no JSON', '{'],
    ['says a key twice', '{"bomFormat":"CycloneDX","bomFormat":"CycloneDX"}'],
    ['is of another format', document({ bomFormat: 'SPDX' })],
    ['has no components', JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.7' })],
    ['has components that are no list', document({ components: {} })],
    ['has too many', document({ components: Array.from({ length: 1100 }, () => ({})) })],
    ['is too large', document({ components: Array.from({ length: 400 }, () => camera) })],
  ])('a file that %s stands there as a device of which nothing is known, and is told of', (_, text) => {
    const { roles, told } = attachedOf(text);
    expect(roles).toEqual(['host', 'peripheral']);
    expect(told).toEqual([expect.stringMatching(/^read the devices in devices\.cdx\.json: /) as string]);
  });
});
