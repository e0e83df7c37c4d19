/** Programs that the updater starts lie beside it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SiteError } from '@sealane/core';

/** The path of a bundled program: this code is in `dist/` or in `dist/chunks/`. */
export function programBeside(name: string): string {
  const places = [`./${name}.mjs`, `../${name}.mjs`].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new SiteError('INTERNAL', `start ${name}: expected its program at ${places.join(' or ')}, got nothing`);
}
