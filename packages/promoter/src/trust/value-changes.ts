/** What differs between two JSON values, place by place, so that nothing small hides in something long. */
import { canonicalJson, type JsonObject, type JsonValue } from '@sealane/core';

type Value = JsonValue | undefined;

/** Longest value that is shown in a line: one that is made of parts is shown by them, a longer text by its beginning and length. */
const MAX_SHOWN = 2000;
/** What items of lists are called by: those with a name of their own are compared with each other. */
const NAMES = ['id', 'name', 'stage', 'use', 'kind', 'team', 'origin', 'url', 'digest'] as const;

/** One line for each place that differs; none where nothing does. Undefined is a value that is not there. */
export function valueChanges(place: string, before: Value, after: Value): readonly string[] {
  if (textOf(before) === textOf(after)) return [];
  if (isList(before ?? []) && isList(after ?? []) && isLong(before, after)) return listChanges(place, listOf(before), listOf(after));
  if (isObject(before ?? {}) && isObject(after ?? {}) && isLong(before, after))
    return objectChanges(place, objectOf(before), objectOf(after));
  return [`${place}: ${shown(before)} becomes ${shown(after)}`];
}

/** Whether two values are compared by their parts: both are there, or the one that is would be cut off. */
function isLong(before: Value, after: Value): boolean {
  return (before !== undefined && after !== undefined) || textOf(before ?? after).length > MAX_SHOWN;
}

function objectChanges(place: string, before: JsonObject, after: JsonObject): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => valueChanges(`${place}.${name}`, ownOf(before, name), ownOf(after, name)));
}

function listChanges(place: string, before: readonly JsonValue[], after: readonly JsonValue[]): readonly string[] {
  const name = NAMES.find((each) => isNamedBy(each, before) && isNamedBy(each, after));
  if (name !== undefined) return namedChanges(place, byName(name, before), byName(name, after));
  const gone = without(before, after);
  const come = without(after, before);
  const lines = [...gone.map((item) => `${place}: without ${shown(item)}`), ...come.map((item) => `${place}: with ${shown(item)}`)];
  return lines.length > 0 ? lines : [`${place}: in another order`];
}

function namedChanges(place: string, before: ReadonlyMap<string, JsonValue>, after: ReadonlyMap<string, JsonValue>): readonly string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const lines = names.flatMap((name) => valueChanges(`${place}[${name}]`, before.get(name), after.get(name)));
  const kept = (from: ReadonlyMap<string, JsonValue>, other: ReadonlyMap<string, JsonValue>): string =>
    [...from.keys()].filter((name) => other.has(name)).join('\n');
  return kept(before, after) === kept(after, before) ? lines : [...lines, `${place}: in another order`];
}

/** Items of the first list that the second has not, or not so often. */
function without(items: readonly JsonValue[], others: readonly JsonValue[]): readonly JsonValue[] {
  const left = others.map(textOf);
  return items.filter((item) => {
    const at = left.indexOf(textOf(item));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function isNamedBy(field: string, items: readonly JsonValue[]): boolean {
  const names = items.map((item) => (isObject(item) ? ownOf(item, field) : undefined));
  return names.every((name) => typeof name === 'string') && new Set(names).size === names.length;
}

function byName(field: string, items: readonly JsonValue[]): ReadonlyMap<string, JsonValue> {
  return new Map(items.map((item) => [textOf(ownOf(objectOf(item), field)), item]));
}

function shown(value: Value): string {
  const text = textOf(value);
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}… (${text.length} characters, all in the proposal)`;
}

function textOf(value: Value): string {
  return value === undefined ? 'nothing' : new TextDecoder().decode(canonicalJson(value));
}

function ownOf(value: JsonObject, name: string): Value {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: Value): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}

function isList(value: Value): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function objectOf(value: Value): JsonObject {
  return isObject(value) ? value : {};
}

function listOf(value: Value): readonly JsonValue[] {
  return isList(value) ? value : [];
}
