/**
 * Devices that this host's own collection cannot see: cameras, PLCs and gateways on a bus or a network, firmware that only a maker's tool tells.
 * Whatever knows them writes a CycloneDX document; its components join the inventory.
 */
import { hardwareDevices, type JsonObject, type JsonValue, parseStrictJson, SealaneError } from '@sealane/core';

/** Largest such document, in bytes (fifty cameras): eight of them and the host's own inventory must fit a receipt. */
const MAX_DEVICES_BYTES = 32 * 1024;
const MAX_DEPTH = 32;

/** Reads a file up to so many bytes; undefined where there is none. */
export type ReadDevices = (file: string, maxBytes: number) => Uint8Array | undefined;

/** A device of which nothing is known: no test covers it, so a file that is lost or damaged can only take coverage away. */
const UNKNOWN_DEVICE: JsonObject = { type: 'device', name: 'unknown', properties: [{ name: 'cdx:device:function', value: 'peripheral' }] };

/** The inventory with the components of each file; a file that cannot be read stands in it as an unknown device, and is told of. */
export function withAttached(
  hbom: JsonObject,
  files: readonly string[],
  { read, talk }: { readonly read: ReadDevices; readonly talk: (line: string) => void },
): JsonObject {
  const own = hbom['components'];
  const added = files.flatMap((file) => componentsOf(file, read, talk));
  return added.length === 0 ? hbom : { ...hbom, components: [...(isList(own) ? own : []), ...added] };
}

function componentsOf(file: string, read: ReadDevices, talk: (line: string) => void): readonly JsonValue[] {
  try {
    const bytes = read(file, MAX_DEVICES_BYTES);
    const document = bytes === undefined ? undefined : parseStrictJson(bytes, { maxBytes: MAX_DEVICES_BYTES, maxDepth: MAX_DEPTH });
    if (isObject(document) && isList(document['components'])) {
      // the same reader as gates use: what it refuses would spoil the whole inventory
      hardwareDevices({ ...document, metadata: { component: { type: 'device' } } });
      return document['components'];
    }
    talk(`read the devices in ${file}: expected a CycloneDX document with components, got ${bytes === undefined ? 'nothing' : 'another'}`);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    talk(`read the devices in ${file}: ${error.message}`);
  }
  return [UNKNOWN_DEVICE];
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}
