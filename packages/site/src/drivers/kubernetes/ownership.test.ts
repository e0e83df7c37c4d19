import { expect, test } from 'vitest';
import { isOf, isSetByOthers } from './ownership.js';

const object = (labels: object, ...managedFields: readonly object[]): object => ({ metadata: { labels, managedFields } });
const mark = (site: string): object => ({ 'sealane.dev/site': site });
const PODS = ['spec', 'template', 'spec'];
const entry = (manager: string, fields: object, more: object = {}): object => ({
  manager,
  operation: 'Apply',
  fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': fields } } },
  ...more,
});
const container = (name: string, more: object = {}): object => ({
  'f:containers': { [`k:{"name":"${name}"}`]: { '.': {}, 'f:image': {}, ...more } },
});

test('an object is of the site that it is marked as of, or that has applied it and was stripped of its mark', () => {
  expect(isOf('a', object(mark('a')))).toBe(true);
  expect(isOf('a', object({}, entry('sealane-site', {})))).toBe(true);
  expect(isOf('a', object(mark('b'), entry('sealane-site', {})))).toBe(false);
  expect(isOf('a', object({}, entry('kubectl', {})))).toBe(false);
  expect(isOf('a', undefined)).toBe(false);
});

test('what others have set is what this site did not set too', () => {
  const ours = entry('sealane-site', container('app'));
  expect(isSetByOthers(object({}, ours, entry('kubectl', container('app'))), PODS)).toBe(false);
  expect(isSetByOthers(object({}, ours, entry('kubectl', container('app', { 'f:command': {} }))), PODS)).toBe(true);
  expect(isSetByOthers(object({}, ours, entry('kubectl', container('beside'))), PODS)).toBe(true);
  expect(isSetByOthers(object({}, ours, entry('controller', container('beside'), { subresource: 'status' })), PODS)).toBe(false);
  expect(isSetByOthers(object({}, ours), PODS)).toBe(false);
});
