/** The rows that a page's field table must have: each path of the schema with its type and limits in words. */
import type { JsonObject, JsonValue } from '@sealane/core';

/** A field: `path` as `groups[].match`, `type` with limits, and that it may be absent. */
export interface FieldRow {
  readonly path: string;
  readonly type: string;
}

/** Patterns that have a name of their own on the pages; the page on names (`docs/formats/README.md`) spells them out. */
const PATTERNS: Readonly<Record<string, string>> = {
  '^sha256:[0-9a-f]{64}$': 'digest',
  '^[0-9a-f]{64}$': '64 hex digits',
  '^[0-9a-f]{32}$': '32 hex digits',
  '^[0-9a-f]{2,40}$': '2–40 hex digits',
  '^[0-9a-f]{2}$': '2 hex digits',
  '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$': 'time',
  '^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$': 'name',
  '^[a-z0-9]+(?:[._-][a-z0-9]+)*$': 'name',
  '^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$': 'host name',
  '^(?!.* - \\d+$)[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$': 'host name',
  '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$': 'base64',
  '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$': 'base64',
  '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$': 'key name',
  '^[A-Z][A-Z0-9_]{1,63}$': 'code',
  '^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$': 'version of ≤ 128 characters',
  '^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$': 'version of ≤ 64 characters',
  '^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,126}$': 'label value',
  '^(?:0|[1-9]\\d{0,15})$': 'whole number, as text',
  '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]*$': 'text',
  '^[A-Z][A-Za-z]+=[^\\n]*$': 'unit property',
  '^\\/[^\\0]{1,4095}$': 'absolute path',
  '^(?:\\/[^\\0\\n:]{1,4095}|[A-Za-z0-9][A-Za-z0-9._-]{0,254})$': 'absolute path or name of a credential',
  '^(?:\\[[0-9a-f:]+\\]|[^\\s:]+):\\d{1,5}$': 'host:port',
  '^(?:[01]\\d|2[0-3]):[0-5]\\d$': 'HH:MM',
  '^(?:pipeline\\.yaml|service\\.yaml|log\\.vkey|proposal\\.json|ca\\/chain\\.pem|ledger\\/ledger\\.sqlite(?:\\.anchor)?|ledger\\/records\\.anchor|ledger\\/archive\\.json|(?:keys|owners|proposals|lane\\/(?:trust|content|log|records))(?:\\/[A-Za-z0-9_@=+%,-][A-Za-z0-9_.@=+%,-]*)+)$':
    'file of a home',
};

/** Rows of a schema, outer fields before inner ones. Of a statement, the rows are those of its predicate. */
export function fieldRows(schema: JsonObject, root: JsonObject = schema): readonly FieldRow[] {
  return rowsOf(schema, '', root);
}

function rowsOf(given: JsonObject, prefix: string, root: JsonObject): readonly FieldRow[] {
  const schema = resolve(given, root);
  const required = list(schema['required']);
  const properties = Object.entries(object(schema['properties']));
  const own = properties.flatMap(([name, value]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const type = typeText(object(value), root) + (required.includes(name) ? '' : ', may be absent');
    const inside = rowsOf(object(value), path, root);
    // an object that is always there is told by its fields
    return type === 'object' && inside.length > 0 ? inside : [{ path, type }, ...inside];
  });
  const inner = (value: JsonValue | undefined, suffix: string): readonly FieldRow[] =>
    value === undefined ? [] : rowsOf(object(value), `${prefix}${suffix}`, root);
  const first = list(schema['prefixItems']).flatMap((item, at) => inner(item, `[${at}]`));
  const anyOf = list(schema['anyOf']).flatMap((each) => rowsOf(object(each), prefix, root));
  const oneOf = merged(list(schema['oneOf']).flatMap((each) => rowsOf(object(each), prefix, root)));
  return unique([...own, ...first, ...inner(schema['items'], '[]'), ...inner(schema['additionalProperties'], '.*'), ...anyOf, ...oneOf]);
}

/** One row for each path: of kinds told apart by a constant, all constants and types. */
function merged(rows: readonly FieldRow[]): readonly FieldRow[] {
  return [...new Set(rows.map(({ path }) => path))].map((path) => ({
    path,
    type: [...new Set(rows.filter((row) => row.path === path).map(({ type }) => type))].join(' or '),
  }));
}

function typeText(given: JsonObject, root: JsonObject): string {
  const schema = resolve(given, root);
  if (schema['const'] !== undefined) return code(schema['const']);
  if (schema['enum'] !== undefined) return list(schema['enum']).map(code).join(', ');
  if (schema['oneOf'] !== undefined) return [...new Set(list(schema['oneOf']).map((each) => typeText(object(each), root)))].join(' or ');
  if (schema['anyOf'] !== undefined) return [...new Set(list(schema['anyOf']).map((each) => typeText(object(each), root)))].join(' or ');
  const type = schema['type'];
  if (Array.isArray(type)) return type.join(' or ');
  if (type === 'array') return `list${bounds(schema, 'Items')} of ${itemText(schema, root)}`;
  if (type === 'integer' || type === 'number') return `${type === 'integer' ? 'whole number' : 'number'}${range(schema)}`;
  if (type === 'string') return stringText(schema);
  if (type === 'object' && schema['properties'] === undefined && object(schema['additionalProperties'])['type'] !== undefined) {
    return `map to ${typeText(object(schema['additionalProperties']), root)}`;
  }
  return typeof type === 'string' ? type : 'any';
}

function itemText(schema: JsonObject, root: JsonObject): string {
  const text = typeText(object(schema['items']), root);
  return text === 'object' ? 'objects' : text;
}

function stringText(schema: JsonObject): string {
  const pattern = schema['pattern'];
  if (typeof pattern === 'string') {
    const known = PATTERNS[pattern];
    if (known === undefined) return `text, ${code(pattern)}`;
    return `${known}${known === 'text' || known === 'base64' ? bounds(schema, 'Length') : ''}`;
  }
  return schema['format'] === 'uri' ? 'address' : `text${bounds(schema, 'Length')}`;
}

/** `≤ 256`, `1–256`, or nothing: bounds of lists and of texts (UTF-16 units). */
function bounds(schema: JsonObject, what: 'Items' | 'Length'): string {
  const [min, max] = [schema[`min${what}`], schema[`max${what}`]];
  if (typeof max !== 'number') return typeof min === 'number' ? ` of ≥ ${min}` : '';
  return typeof min === 'number' ? (min === max ? ` of ${max}` : ` of ${min}–${max}`) : ` of ≤ ${max}`;
}

function range(schema: JsonObject): string {
  const [min, max] = [schema['minimum'], schema['maximum']];
  if (typeof min !== 'number') return '';
  return typeof max === 'number' && max !== Number.MAX_SAFE_INTEGER ? ` ${min}–${max}` : ` ≥ ${min}`;
}

function resolve(schema: JsonObject, root: JsonObject): JsonObject {
  const reference = schema['$ref'];
  return typeof reference === 'string' ? object(object(root['$defs'])[reference.replace('#/$defs/', '')]) : schema;
}

function unique(rows: readonly FieldRow[]): readonly FieldRow[] {
  return [...new Map(rows.map((row) => [row.path, row])).values()];
}

const code = (value: JsonValue): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
const list = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
const object = (value: JsonValue | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
