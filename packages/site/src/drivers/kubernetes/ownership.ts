/** Whose an object of a cluster is, and which of its fields others than this site have set: out of its labels and its managed fields. Pure. */
import { fieldOf, textOf } from '../../tool-json.js';
import { SITE_LABEL } from './objects.js';

/** The name under which the fields of a release are owned. */
export const MANAGER = 'sealane-site';

/** Metadata of an object. */
export function metadataOf(object: unknown): unknown {
  return fieldOf(object, 'metadata');
}

/** The site that an object is marked as of; empty where it is marked as of none. */
export function siteOf(object: unknown): string {
  return textOf(fieldOf(metadataOf(object), 'labels'), SITE_LABEL);
}

/** Whether it is of this site: marked so, or applied by it and stripped of the mark. */
export function isOf(site: string, object: unknown): boolean {
  const mark = siteOf(object);
  return mark === site || (mark === '' && managers(object).some((each) => isOurs(each) && textOf(each, 'operation') === 'Apply'));
}

/** Whether others have set fields there, below a place such as `['spec', 'template', 'spec']`, that this site did not set. */
export function isSetByOthers(object: unknown, place: readonly string[]): boolean {
  const [ours, others] = [new Set<string>(), new Set<string>()];
  for (const each of managers(object)) {
    const below = place.reduce<unknown>((fields, name) => fieldOf(fields, `f:${name}`), fieldOf(each, 'fieldsV1'));
    if (textOf(each, 'subresource') === '') collect(below, '', isOurs(each) ? ours : others);
  }
  return [...others].some((field) => !ours.has(field));
}

function managers(object: unknown): readonly unknown[] {
  const list = fieldOf(metadataOf(object), 'managedFields');
  return Array.isArray(list) ? list : [];
}

function isOurs(entry: unknown): boolean {
  return textOf(entry, 'manager') === MANAGER;
}

/** The leaves of a set of fields (`FieldsV1`), by their paths. */
function collect(fields: unknown, at: string, into: Set<string>): void {
  if (typeof fields !== 'object' || fields === null) return;
  const below = Object.entries(fields).filter(([name]) => name !== '.');
  if (below.length === 0) into.add(at);
  for (const [name, child] of below) collect(child, `${at}/${name}`, into);
}
