/**
 * The hardware inventory of this machine as a CycloneDX 1.7 device BOM: what labs hand in with their tests and sites put into receipts.
 *
 * A fact that is not known is absent, never empty or guessed. Serials, MACs, slots and how the machine is just now are properties, which no hardware class reads.
 */
import type { JsonObject, JsonValue } from '@sealane/core';
import { deviceComponent } from './components.js';
import { hostCondition } from './condition.js';
import { cpuFacts } from './cpu.js';
import { diskFacts } from './disks.js';
import { hostFacts } from './host.js';
import { pciFacts } from './pci.js';
import type { InventorySource } from './source.js';

/** Where and when a collection is made; `takenAt` is RFC 3339. */
export interface CollectionFacts {
  readonly takenAt: string;
  readonly toolVersion: string;
}

/** Collects. Pure but for its source; the same machine gives the same bytes but for `takenAt` and for how it is just now. */
export function collectInventory(source: InventorySource, { takenAt, toolVersion }: CollectionFacts): JsonObject {
  const facts = hostFacts(source);
  const host = deviceComponent({ ...facts, properties: { ...facts.properties, ...hostCondition(source) } });
  const parts = [...cpuFacts(source), ...pciFacts(source), ...diskFacts(source)].map(deviceComponent);
  return withoutUnknown({
    $schema: 'http://cyclonedx.org/schema/bom-1.7.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.7',
    version: 1,
    metadata: {
      timestamp: takenAt,
      lifecycles: [{ phase: 'operations' }],
      tools: { components: [{ type: 'application', name: 'sealane-site inventory', version: toolVersion }] },
      component: host,
    },
    components: parts,
    dependencies: [{ ref: 'host', dependsOn: parts.map((part) => part['bom-ref'] ?? '') }],
  });
}

/** Fields of unknown facts, dropped: what is written and what is put into a receipt are the same. */
function withoutUnknown(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, dropIn(each)]])));
}

function dropIn(value: JsonValue): JsonValue {
  if (isObject(value)) return withoutUnknown(value);
  return isList(value) ? value.map(dropIn) : value;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
