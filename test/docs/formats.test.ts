/** Each page of a format: its example is real, its table is the schema's, and the schema refuses what the parser refuses. */
import { canonicalJson, type JsonObject, SealaneError } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml, stringify } from 'yaml';
import { fieldRows } from './field-table.js';
import { bodyOf, bodySchema, FORMATS, type Format } from './format-list.js';
import { compile, schemaFile } from './json-schema.js';
import { codeBelow, named, pageText, tableRows } from './pages.js';

const page = (name: string): string => pageText(`docs/formats/${name}.md`);

function exampleOf({ name, kind }: Format): JsonObject {
  const code = codeBelow(page(name), 'Example');
  return (kind === 'yaml' ? parseYaml(code) : JSON.parse(code)) as JsonObject;
}

function bytesOf({ kind }: Format, value: JsonObject): Uint8Array {
  return kind === 'yaml' ? new TextEncoder().encode(stringify(value)) : canonicalJson(value);
}

/** A document with one field of its body replaced, or taken out with `undefined`. */
function changed(format: Format, example: JsonObject, key: string, value: JsonObject[string] | undefined): JsonObject {
  const others = Object.entries(bodyOf(format, example)).filter(([name]) => name !== key);
  const body = Object.fromEntries(value === undefined ? others : [...others, [key, value]]);
  return format.kind === 'statement' ? { ...example, predicate: body } : body;
}

describe.for(FORMATS.map((format) => ({ ...format })))('$name', (format) => {
  const objections = compile(format.name);
  const example = exampleOf(format);
  const schema = schemaFile(format.name);
  const body = bodySchema(format, schema);

  test('its example fits the schema, and the parser takes it', () => {
    expect(objections(example)).toBe('');
    expect(() => format.parse(bytesOf(format, example))).not.toThrow();
  });

  test('its table names every field of the schema with its type and limits, and no other', () => {
    const fields = page(format.name).split('\n## Fields\n')[1]?.split('\n## ')[0] ?? '';
    const rows = tableRows(fields).map(([path, type]) => ({ path: named(path), type }));
    expect(rows).toEqual(fieldRows(body, schema));
    for (const [, , meaning] of tableRows(fields)) expect(meaning).toMatch(/\S/);
  });

  test.for((body['required'] as string[]).map((key) => ({ key })))(
    'without $key it is refused by the schema, and by the parser unless other tools write it too',
    ({ key }) => {
      const document = changed(format, example, key, undefined);
      expect(objections(document)).toMatch(/required/);
      const parse = (): unknown => format.parse(bytesOf(format, document));
      if (format.othersMayLack?.includes(key) === true) expect(parse).not.toThrow();
      else expect(parse).toThrow(SealaneError);
    },
  );

  test('with a field more it is refused by the schema', () => {
    expect(objections(changed(format, example, 'surplus', 1))).toMatch(/additional/);
    expect(objections({ ...example, surplus: 1 })).toMatch(/additional/);
  });

  test.for(Object.keys(bodyOf(format, example)).map((key) => ({ key })))(
    'with $key of another type it is refused by schema and parser',
    ({ key }) => {
      const document = changed(format, example, key, wrongTypeFor(bodyOf(format, example)[key]));
      expect(objections(document)).not.toBe('');
      expect(() => format.parse(bytesOf(format, document))).toThrow(SealaneError);
    },
  );
});

/** A value of a type that no field of ours may have where this value is. */
function wrongTypeFor(value: JsonObject[string]): JsonObject[string] {
  return typeof value === 'boolean' ? 'yes' : true;
}

test('the parsers of all formats that are ours alone refuse a field more too', () => {
  for (const format of FORMATS.filter(({ othersMayLack }) => othersMayLack === undefined)) {
    const document = changed(format, exampleOf(format), 'surplus', 1);
    expect(() => format.parse(bytesOf(format, document)), format.name).toThrow(SealaneError);
  }
});
