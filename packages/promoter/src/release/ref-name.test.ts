/** No two releases or images share a name in the layout's index. */
import { expect, it } from 'vitest';
import { refName } from './ref-name.js';

const nameOf = (...words: Parameters<typeof refName>): string => String(Object.values(refName(...words))[0]);

it('is NAME-VERSION-PART where no word has a dash', () => {
  expect(refName('readings', '1.0.0', 'app')).toEqual({ 'org.opencontainers.image.ref.name': 'readings-1.0.0-app' });
  expect(nameOf('readings', '1.0.0')).toBe('readings-1.0.0');
});

it('is another name for every other release or image, wherever dashes stand', () => {
  // names and parts begin and end with a letter or digit, versions begin with one
  const names = ['a', 'b', 'a-b', 'a-b-c', 'b-c', 'c'];
  const versions = [...names, 'a-', 'a--', 'a--b', 'a---b', 'b-c-', '1.0.0-a'];
  const all = names.flatMap((name) =>
    versions.flatMap((version) => [nameOf(name, version), ...names.map((part) => nameOf(name, version, part))]),
  );
  expect(new Set(all).size).toBe(all.length);
  for (const each of all) expect(each).toMatch(/^[\w][\w.+-]*$/);
});
