import { readFileSync } from 'node:fs';

/** A file of `test/vectors/notes`, which `make.py` there rebuilds. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- vectors are read as they are written
export function noteVectors(name: string): any {
  return JSON.parse(readFileSync(new URL(`../vectors/notes/${name}.json`, import.meta.url), 'utf8'));
}
