import { expect, test } from 'vitest';
import { plainProperties, renderedProperties } from './unit-properties.js';

const PROPERTIES = ['User=daemon', 'MemoryMax=${SEALANE_VAR_MEMORY}', 'BindReadOnlyPaths=/data/${SEALANE_VAR_LINE}:/data'];

test('puts the values of the release into the properties that name them', () => {
  expect(renderedProperties(PROPERTIES, { SEALANE_VAR_MEMORY: '64M', SEALANE_VAR_LINE: 'a-1' })).toEqual([
    'User=daemon',
    'MemoryMax=64M',
    'BindReadOnlyPaths=/data/a-1:/data',
  ]);
});

test.each(['a /etc:/etc', '"x"', '%h', 'a\nUser=root', '$HOME', "it's", 'a\\b'])(
  'refuses %j, which would be more than one word',
  (value) => {
    expect(() => renderedProperties(PROPERTIES, { SEALANE_VAR_MEMORY: '64M', SEALANE_VAR_LINE: value })).toThrow(
      expect.objectContaining({ code: 'DRIVER_REFUSED' }),
    );
  },
);

test('refuses a variable that the release does not declare', () => {
  expect(() => renderedProperties(PROPERTIES, { SEALANE_VAR_MEMORY: '64M' })).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
});

test('leaves to other units the properties that name none', () => {
  expect(plainProperties(PROPERTIES)).toEqual(['User=daemon']);
});
