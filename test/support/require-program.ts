/** Finds a real program for a test: absent is a named skip, but a failure where everything is required. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The path of `name` on PATH, or undefined. Use with `test.skipIf(program === undefined)`.
 * With `SEALANE_REQUIRE=all` an absent program is an error.
 */
export function requireProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (isExecutable(path)) return path;
  }
  if (process.env['SEALANE_REQUIRE'] === 'all') throw new Error(`find program ${name}: expected it on PATH, got nothing`);
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    // Not there, or not ours to run: look further.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
