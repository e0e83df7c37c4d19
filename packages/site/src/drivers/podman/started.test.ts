import { expect, test } from 'vitest';
import { startedFrom, startedTexts } from './started.js';

test('what was started is read as it was written; a record of an earlier version names no containers', () => {
  const started = { manifests: ['/run/a.yaml'], pods: ['a'.repeat(64)], containers: ['b'.repeat(64)] };
  expect(startedFrom(startedTexts(started))).toEqual(started);
  expect(startedFrom(['/run/a.yaml', 'a'.repeat(64)])).toEqual({ ...started, containers: [] });
});
