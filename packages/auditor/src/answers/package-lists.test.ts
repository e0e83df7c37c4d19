/** Packages as people ask for them, in lists as tools write them. */
import { describe, expect, it } from 'vitest';
import { wantedPackage } from './package-lists.js';

const cyclonedx = {
  components: [
    { name: 'core', group: '@babel', version: '7.24.0', purl: 'pkg:npm/%40babel/core@7.24.0' },
    {
      name: 'outer',
      components: [
        {
          name: 'log4j-core',
          group: 'org.apache.logging.log4j',
          version: '2.14.1',
          purl: 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar',
        },
      ],
    },
    { name: 'github.com/acme/readings', version: 'v1.2.3' },
  ],
};
const spdx = {
  packages: [
    {
      name: 'zlib1g',
      versionInfo: '1:1.2.13.dfsg-1',
      externalRefs: [
        { referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a' },
        { referenceType: 'purl', referenceLocator: 'pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1?arch=amd64' },
      ],
    },
    { name: 'bad%', versionInfo: '1', externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:npm/bad%' }] },
  ],
};

describe('a package is found', () => {
  it.each([
    [cyclonedx, 'core'],
    [cyclonedx, 'core@7.24.0'],
    [cyclonedx, '@babel/core'],
    [cyclonedx, '@babel/core@7.24.0'],
    [cyclonedx, 'pkg:npm/%40babel/core'],
    [cyclonedx, 'pkg:npm/@babel/core@7.24.0'],
    [cyclonedx, 'log4j-core@2.14.1'],
    [cyclonedx, 'org.apache.logging.log4j:log4j-core@2.14.1'],
    [cyclonedx, 'pkg:maven/org.apache.logging.log4j/log4j-core'],
    [cyclonedx, 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar'],
    [cyclonedx, 'github.com/acme/readings@v1.2.3'],
    [spdx, 'zlib1g@1:1.2.13.dfsg-1'],
    [spdx, 'pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1'],
    [spdx, 'pkg:npm/bad%'],
  ])('%#: %s as %s', (list, wanted) => {
    const { isListed, word } = wantedPackage(wanted);
    expect(isListed(list)).toBe(true);
    expect(word).not.toBe('');
    expect(JSON.stringify(list)).toContain(word);
  });
});

it.each(['babel', '@babel', 'core@7.24', '@other/core', 'pkg:npm/core', 'pkg:npm/@babel/core@7', 'zlib'])(
  'another is not: %s',
  (wanted) => {
    expect([cyclonedx, spdx].some(wantedPackage(wanted).isListed)).toBe(false);
  },
);

it.each(['', 'log4j-core@', 'pkg:', 'pkg:npm', 'pkg:npm/', 'pkg:npm/x@'])(
  'a question without a name or a version is none: %j',
  (wanted) => {
    expect(() => wantedPackage(wanted)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  },
);

it('a name without letters is sought in every list', () => {
  expect(wantedPackage('图书').word).toBe('');
  expect(wantedPackage('图书').isListed({ components: [{ name: '图书' }] })).toBe(true);
});

it('a document that is none has no packages', () => {
  for (const document of [
    {},
    { components: 'x', packages: 3 },
    { components: [null, 3, [], { name: {} }], packages: [{ name: 'x', externalRefs: [null] }] },
  ])
    expect(wantedPackage('pkg:npm/x').isListed(document)).toBe(false);
});
