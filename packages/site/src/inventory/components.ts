/** CycloneDX components out of facts that may be unknown: an unknown fact leaves its field out. */
import { type JsonObject, knownFact } from '@sealane/core';

/** One device; every fact may be unknown. `properties` never count for a hardware class. */
export interface DeviceFacts {
  readonly ref: string;
  readonly role: string;
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly revision?: string | undefined;
  /** For people only. */
  readonly description?: string | undefined;
  readonly firmware?: readonly FirmwareFacts[];
  readonly properties?: Readonly<Record<string, string | undefined>>;
}

/** One firmware; without a version it is left out. */
export interface FirmwareFacts {
  readonly name: string;
  readonly version: string | undefined;
  readonly properties?: Readonly<Record<string, string | undefined>>;
}

/** CycloneDX asks for a name; this one counts as unknown wherever inventories are compared. */
const NO_NAME = 'unknown';

/** A component of type `device` with its firmware inside. */
export function deviceComponent(facts: DeviceFacts): JsonObject {
  const vendor = knownFact(facts.vendor);
  const firmware = (facts.firmware ?? []).flatMap((each, index) => firmwareComponent(each, `${facts.ref}-fw${index}`));
  const properties = propertyList({ ...facts.properties }, [['cdx:device:function', facts.role]]);
  return {
    type: 'device',
    'bom-ref': facts.ref,
    manufacturer: vendor === undefined ? undefined : { name: vendor },
    name: knownFact(facts.model) ?? NO_NAME,
    version: knownFact(facts.revision),
    description: knownFact(facts.description),
    properties: properties.length === 0 ? undefined : properties,
    components: firmware.length === 0 ? undefined : firmware,
  };
}

function firmwareComponent({ name, version, properties }: FirmwareFacts, ref: string): readonly JsonObject[] {
  const known = knownFact(version);
  if (known === undefined) return [];
  const list = propertyList(properties ?? {});
  return [{ type: 'firmware', 'bom-ref': ref, name, version: known, properties: list.length === 0 ? undefined : list }];
}

/** Properties under our own prefix, unknown ones left out; `official` ones keep their CycloneDX name. */
function propertyList(
  values: Readonly<Record<string, string | undefined>>,
  official: readonly (readonly [string, string])[] = [],
): readonly JsonObject[] {
  const own = Object.entries(values).map(([name, value]) => [`sealane:${name}`, knownFact(value)] as const);
  return [...official, ...own].flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}
