/** `docs/dependencies.md` against every package.json and the lock file: each dependency has its line, and each number in it is so. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/run.js';
import { named, pageText, tableRows } from './pages.js';

interface Manifest {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

interface Locked {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly hasInstallScript?: boolean;
}

const read = (file: string): unknown => JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));
const lock = (read('package-lock.json') as { readonly packages: Readonly<Record<string, Locked>> }).packages;
const manifests = new Map<string, Manifest>([
  ['root', read('package.json') as Manifest],
  ...readdirSync(path.join(ROOT, 'packages')).map((name): [string, Manifest] => [name, read(`packages/${name}/package.json`) as Manifest]),
]);

/** A use of a dependency: which manifest names it, with which version. */
const uses = [...manifests].flatMap(([place, { dependencies = {}, devDependencies = {}, optionalDependencies = {} }]) => [
  ...Object.entries(dependencies).map(([name, version]) => ({ name, version, place })),
  ...Object.entries(optionalDependencies).map(([name, version]) => ({ name, version, place: `${place} (optional)` })),
  ...Object.entries(devDependencies).map(([name, version]) => ({ name, version, place: `${place} (dev)` })),
]);
const foreign = uses.filter(({ name }) => !name.startsWith('@sealane/'));
const names = [...new Set(foreign.map(({ name }) => name))].sort();

const rows = new Map(
  tableRows(pageText('docs/dependencies.md'))
    .filter((cells) => cells.length === 7)
    .map(([name, version, places, brings, script, why, instead]) => [named(name), { version, places, brings, script, why, instead }]),
);

describe('docs/dependencies.md', () => {
  test('has a line for each dependency of every package.json, and no other', () => {
    expect([...rows.keys()].sort()).toEqual(names);
  });

  test.for(names.map((name) => ({ name })))(
    '$name: version, places, packages that come with it, and install scripts are those of the lock file',
    ({ name }) => {
      const row = rows.get(name);
      const own = foreign.filter((use) => use.name === name);
      const closure = closureOf(`node_modules/${name}`);
      const scripts = closure.filter((key) => lock[key]?.hasInstallScript === true).map((key) => key.replace(/^.*node_modules\//, ''));
      expect([...new Set(own.map(({ version }) => version))]).toEqual([row?.version]);
      expect(row?.places).toBe(
        own
          .map(({ place }) => place)
          .sort()
          .join(', '),
      );
      expect(row?.brings).toBe(String(closure.length - 1));
      expect(row?.script).toBe(scripts.length === 0 ? 'no' : scripts.join(', '));
      expect(row?.why).toMatch(/\S.{10}/);
      expect(row?.instead).toMatch(/\S/);
    },
  );
});

describe('pins', () => {
  test('every version in every package.json is exact, and the one that the lock file installs', () => {
    for (const { name, version, place } of foreign) {
      expect(version, `${name} in ${place}`).toMatch(/^\d+\.\d+\.\d+$/);
      expect(lock[`node_modules/${name}`]?.version, name).toBe(version);
    }
    for (const version of Object.values(manifests.get('root')?.overrides ?? {})) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('there is one copy of each sigstore and tuf package', () => {
    const copies = Object.keys(lock).filter((key) => /node_modules\/(?:@sigstore|@tufjs)\/[^/]+$/.test(key));
    expect(copies.filter((key) => key.lastIndexOf('node_modules/') > 0)).toEqual([]);
    expect(copies.length).toBeGreaterThan(0);
  });

  test('only packages that are allowed to may run a script at installation, but for what npm leaves out elsewhere', () => {
    const scripts = Object.entries(lock).flatMap(([key, { hasInstallScript }]) =>
      hasInstallScript === true ? [key.replace(/^.*node_modules\//, '')] : [],
    );
    const allowed = Object.keys(manifests.get('root')?.allowScripts ?? {});
    // fsevents is for macOS only, an optional part of the test runner
    expect([...new Set(scripts)].filter((name) => name !== 'fsevents').sort()).toEqual(allowed.sort());
  });
});

/** The lock file's entries that an entry needs, itself among them, found as Node finds them. */
function closureOf(root: string): readonly string[] {
  const seen = new Set<string>();
  const visit = (key: string): void => {
    if (seen.has(key)) return;
    seen.add(key);
    const { dependencies = {}, optionalDependencies = {} } = lock[key] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = lookUp(key, name);
      if (found !== undefined) visit(found);
    }
  };
  visit(root);
  return [...seen];
}

function lookUp(from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const key = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (lock[key] !== undefined) return key;
    if (at === '') return undefined;
  }
}
