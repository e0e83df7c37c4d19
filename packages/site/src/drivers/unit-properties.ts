/** Properties of a unit with variables of the release in them: `MemoryMax=${SEALANE_VAR_MEMORY}`. Pure. */
import { SiteError } from '@sealane/core';

/** How a variable stands in a property; its name is spelt as in the environment of the workload. */
const PLACEHOLDER = /\$\{(SEALANE_VAR_[A-Za-z0-9_]+)\}/g;

/** What a value may consist of: nothing that systemd splits, quotes or expands, so that a value stays one word of the property that local configuration wrote. */
const PLAIN = /^[A-Za-z0-9_.,:@/+-]*$/;

/** A word of a property is cut here into pieces: `BindPaths=/data/a:/data`. */
const CUTS = /[=:,]/;

/** What stands before the `//` of a URL. */
const SCHEME = /^[a-z][a-z0-9+.-]+$/;

/**
 * The properties with their values.
 *
 * @throws SiteError `DRIVER_REFUSED` the release declares no such variable; its value is more than one plain word, or would lead out of the path that it is a part of
 */
export function renderedProperties(properties: readonly string[], env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return properties.map((property) => property.replaceAll(/\S+/g, (word) => renderedWord(property, word, env)));
}

/** The properties that need no release: those of units that are about none. */
export function plainProperties(properties: readonly string[]): readonly string[] {
  return properties.filter((property) => property.replaceAll(PLACEHOLDER, '') === property);
}

function renderedWord(property: string, word: string, env: Readonly<Record<string, string | undefined>>): string {
  const hasColons = word.replaceAll(PLACEHOLDER, '').replaceAll('://', '').includes(':');
  const fill = (text: string, isPath: boolean): string =>
    text.replaceAll(PLACEHOLDER, (_placeholder, name: string) => {
      const value = env[name];
      if (value === undefined) throw refused(property, 'a variable that the release declares', name);
      if (!PLAIN.test(value)) throw refused(property, `${name} to be letters, digits and _.,:@/+-`, JSON.stringify(value));
      // source, target and options of a mount are divided by colons
      if ((hasColons || isPath) && value.includes(':')) throw refused(property, `${name} without a colon in such a place`, value);
      return value;
    });
  const pieces = word.split(CUTS);
  for (const [at, piece] of pieces.entries()) {
    const isUrl = piece.startsWith('//') && SCHEME.test(pieces[at - 1] ?? '');
    const isPath = piece.includes('/') && !isUrl;
    // what local configuration wrote stands as it is: only parts with a value in them are judged
    for (const part of piece.split('/').filter((each) => each.search(PLACEHOLDER) >= 0)) {
      const filled = fill(part, isPath);
      if (leavesPath(filled, isPath)) throw refused(property, 'values that stay below the path that it names', filled);
    }
  }
  return fill(word, false);
}

/** `..` goes up, wherever it stands. In a path that local configuration wrote a part that is empty or `.` names the folder above, with all that is in it. */
function leavesPath(filled: string, isPath: boolean): boolean {
  const parts = filled.split('/');
  return parts.includes('..') || (isPath && parts.some((part) => part === '' || part === '.'));
}

function refused(property: string, expected: string, got: string): SiteError {
  return new SiteError('DRIVER_REFUSED', `render ${property}: expected ${expected}, got ${got}`, { property });
}
