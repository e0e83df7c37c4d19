/** Notes each temporary folder that a test makes in the file that `SEALANE_TEST_FOLDERS` names: whoever is ended before it clean up leaves it to `sweep-folders.ts`. */
import fs, { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const list = process.env['SEALANE_TEST_FOLDERS'];

if (list !== undefined) {
  const noted = (folder: string): string => {
    appendFileSync(list, `${folder}\n`);
    return folder;
  };
  const { mkdtempSync } = fs;
  const { mkdtemp } = fs.promises;
  Object.assign(fs, { mkdtempSync: (prefix: string) => noted(mkdtempSync(prefix)) });
  Object.assign(fs.promises, { mkdtemp: async (prefix: string) => noted(await mkdtemp(prefix)) });
  // imports by name see it too
  syncBuiltinESMExports();
}
