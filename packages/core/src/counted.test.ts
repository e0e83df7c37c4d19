import { expect, test } from 'vitest';
import { counted } from './counted.js';

test('says one thing in the singular, and none or several in the plural', () => {
  expect([0, 1, 2].map((count) => counted(count, 'pack'))).toEqual(['0 packs', '1 pack', '2 packs']);
  expect([1, 2].map((count) => counted(count, 'entry'))).toEqual(['1 entry', '2 entries']);
  expect([1, 2].map((count) => counted(count, 'key'))).toEqual(['1 key', '2 keys']);
  expect([1, 2].map((count) => counted(count, 'person', 'people'))).toEqual(['1 person', '2 people']);
});
