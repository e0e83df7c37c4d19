/** The published schemas are those of the code. After a change of a shape: `npx vitest run --project system test/docs/schemas.test.ts -u`. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { format as pretty } from 'prettier';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/run.js';
import { FORMATS } from './format-list.js';

const FOLDER = path.join(ROOT, 'docs', 'formats');

describe('JSON Schemas', () => {
  test.for(FORMATS.filter(({ schema }) => schema !== 'by-hand'))('$name is the one that its parser gives', async ({ name, schema }) => {
    const written = await pretty(JSON.stringify(schema), { parser: 'json', printWidth: 140 });
    await expect(written).toMatchFileSnapshot(path.join(FOLDER, `${name}.schema.json`));
  });

  test('every schema file belongs to a format, and every format has one', () => {
    const files = readdirSync(FOLDER).filter((file) => file.endsWith('.schema.json'));
    expect(files.sort()).toEqual(FORMATS.map(({ name }) => `${name}.schema.json`).sort());
  });
});
