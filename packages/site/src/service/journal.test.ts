import { parseDigest } from '@sealane/core';
import { expect, test } from 'vitest';
import { isNews, journalEntry, MESSAGE_IDS } from './journal.js';

const release = parseDigest(`sha256:${'ab'.repeat(32)}`);
const result = { site: 'harbour-7', outcome: 'installed' as const, release, previous: null, reason: null, checks: [] };

test('an entry has a message id of its outcome and fields, one a line: no text of a release adds another', () => {
  const entry = journalEntry(result, 'installed\nSEALANE_OUTCOME=refused', 42).split('\n');
  expect(entry).toContain('MESSAGE=installed SEALANE_OUTCOME=refused');
  expect(entry).toEqual(
    expect.arrayContaining([
      `MESSAGE_ID=${MESSAGE_IDS.installed}`,
      'SEALANE_OUTCOME=installed',
      `SEALANE_RELEASE=${release}`,
      'OBJECT_PID=42',
    ]),
  );
  expect(entry.some((line) => line.startsWith('SEALANE_REASON'))).toBe(false);
  for (const id of Object.values(MESSAGE_IDS)) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test('the same outcome again is no news; another release, reason or outcome is', () => {
  expect(isNews(undefined, { ...result, outcome: 'unchanged' })).toBe(false);
  expect(isNews(undefined, result)).toBe(true);
  expect(isNews(result, result)).toBe(false);
  expect(isNews(result, { ...result, outcome: 'unchanged' })).toBe(true);
  expect(isNews({ ...result, outcome: 'refused', reason: 'TRUST_EXPIRED' }, { ...result, outcome: 'refused', reason: 'LOG_FORK' })).toBe(
    true,
  );
});
