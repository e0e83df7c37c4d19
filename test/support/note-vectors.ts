import { readFileSync } from 'node:fs';

/** A list of cases of `test/vectors/notes`, which `make.py` there rebuilds. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- vectors are read as they are written
export function noteVectors(name: string): any[] {
  return noteFile(name);
}

/** A file of `test/vectors/notes` that is no list. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export function noteFile(name: string): any {
  return JSON.parse(readFileSync(new URL(`../vectors/notes/${name}.json`, import.meta.url), 'utf8'));
}
