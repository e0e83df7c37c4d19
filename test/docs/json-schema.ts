/** The published schemas under a validator that is not ours (ajv, draft 2020-12). */
import type { JsonObject } from '@sealane/core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { pageText } from './pages.js';

/** What a schema says about a value: nothing, or the first objections. */
export type Objections = (value: unknown) => string;

/** A schema file of `docs/formats`. */
export function schemaFile(name: string): JsonObject {
  return JSON.parse(pageText(`docs/formats/${name}.schema.json`)) as JsonObject;
}

/** Compiles the schema of a format; strict: a word that the draft does not know is an error. */
export function compile(name: string): Objections {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allErrors: false,
    formats: { uri: isAddress },
  });
  const validate = ajv.compile(schemaFile(name));
  return (value) => (validate(value) ? '' : ajv.errorsText(validate.errors));
}

function isAddress(text: string): boolean {
  return URL.canParse(text);
}
