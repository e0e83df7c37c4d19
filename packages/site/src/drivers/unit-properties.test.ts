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

const refusedFor = (property: string, values: Readonly<Record<string, string>>): void => {
  expect(() => renderedProperties([property], values)).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
};

test.each(['..', '../../etc', 'a/../../etc', '.', '', '/etc', 'a//b', 'a:/etc', ':'])(
  'refuses %j in a path, which would lead elsewhere than below it',
  (value) => {
    refusedFor('BindReadOnlyPaths=/data/${SEALANE_VAR_LINE}:/data', { SEALANE_VAR_LINE: value });
  },
);

test('refuses values that lead out of a path together, or with what stands around them', () => {
  refusedFor('BindPaths=/data/.${SEALANE_VAR_LINE}/x', { SEALANE_VAR_LINE: '.' });
  refusedFor('BindPaths=/data/${SEALANE_VAR_ONE}${SEALANE_VAR_TWO}', { SEALANE_VAR_ONE: '.', SEALANE_VAR_TWO: '.' });
  refusedFor('ReadWritePaths=/srv /data/${SEALANE_VAR_LINE}', { SEALANE_VAR_LINE: '..' });
});

test('refuses a second mount in the place of a first, and a way up in a path that is a variable as a whole', () => {
  refusedFor('BindPaths=${SEALANE_VAR_LINE}:/data', { SEALANE_VAR_LINE: '/etc:/data/etc' });
  refusedFor('BindPaths=${SEALANE_VAR_LINE}', { SEALANE_VAR_LINE: '/data/../etc' });
});

test('lets what is no path be what it is, and parts of a path stand below it', () => {
  const values = { SEALANE_VAR_NET: 'fe80::/64', SEALANE_VAR_LINE: 'north/a-1.d', SEALANE_VAR_NAME: '' };
  const properties = ['IPAddressAllow=${SEALANE_VAR_NET}', 'BindPaths=/data/${SEALANE_VAR_LINE}', 'Environment=N=${SEALANE_VAR_NAME}'];
  expect(renderedProperties(properties, values)).toEqual(['IPAddressAllow=fe80::/64', 'BindPaths=/data/north/a-1.d', 'Environment=N=']);
});

test('lets stand what local configuration wrote around a value: a last slash, and a URL', () => {
  const values = { SEALANE_VAR_LINE: 'a', SEALANE_VAR_HOST: 'db.example:8443' };
  const properties = ['ReadWritePaths=/data//${SEALANE_VAR_LINE}/', 'Environment=API=https://${SEALANE_VAR_HOST}/x/./y'];
  expect(renderedProperties(properties, values)).toEqual(['ReadWritePaths=/data//a/', 'Environment=API=https://db.example:8443/x/./y']);
  refusedFor('ReadWritePaths=//data/${SEALANE_VAR_LINE}', { SEALANE_VAR_LINE: '' });
  refusedFor('BindPaths=/a://data/${SEALANE_VAR_LINE}', { SEALANE_VAR_LINE: '.' });
});

test('refuses a variable that the release does not declare', () => {
  expect(() => renderedProperties(PROPERTIES, { SEALANE_VAR_MEMORY: '64M' })).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
});

test('leaves to other units the properties that name none', () => {
  expect(plainProperties(PROPERTIES)).toEqual(['User=daemon']);
});
