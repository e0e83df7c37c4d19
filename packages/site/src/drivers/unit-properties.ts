/** Properties of a unit with variables of the release in them: `MemoryMax=${SEALANE_VAR_MEMORY}`. Pure. */
import { SiteError } from '@sealane/core';

/** How a variable stands in a property; its name is spelt as in the environment of the workload. */
const PLACEHOLDER = /\$\{(SEALANE_VAR_[A-Za-z0-9_]+)\}/g;

/** What a value may consist of: nothing that systemd splits, quotes or expands, so that a value stays one word of the property that local configuration wrote. */
const PLAIN = /^[A-Za-z0-9_.,:@/+-]*$/;

/**
 * The properties with their values.
 *
 * @throws SiteError `DRIVER_REFUSED` the release declares no such variable, or its value is more than one plain word
 */
export function renderedProperties(properties: readonly string[], env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return properties.map((property) =>
    property.replaceAll(PLACEHOLDER, (_placeholder, name: string) => {
      const value = env[name];
      if (value === undefined) throw refused(property, 'a variable that the release declares', name);
      if (!PLAIN.test(value)) throw refused(property, `${name} to be letters, digits and _.,:@/+-`, JSON.stringify(value));
      return value;
    }),
  );
}

/** The properties that need no release: those of units that are about none. */
export function plainProperties(properties: readonly string[]): readonly string[] {
  return properties.filter((property) => property.replaceAll(PLACEHOLDER, '') === property);
}

function refused(property: string, expected: string, got: string): SiteError {
  return new SiteError('DRIVER_REFUSED', `render ${property}: expected ${expected}, got ${got}`, { property });
}
