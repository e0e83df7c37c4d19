/** What a site that was retired leaves in its state folder. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { TestSite } from './site.js';

/** Names in the state folder, and below `mirror/`, sorted. */
export function filesLeft({ state }: Pick<TestSite, 'state'>): readonly string[] {
  const names = readdirSync(state).sort();
  const inMirror = names.includes('mirror') ? readdirSync(path.join(state, 'mirror')).map((name) => `mirror/${name}`) : [];
  return [...names.filter((name) => name !== 'mirror'), ...inMirror];
}
