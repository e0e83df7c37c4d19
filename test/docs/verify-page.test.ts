/** `docs/verify.html` is the page that the service serves to verify in a browser, and its digest is where the service is described. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { VERIFY_PAGE } from '../../packages/auditor/src/pages/verify-page.js';
import { ROOT } from '../support/run.js';

test('docs/verify.html is the page that is served; if it has changed, run this test with -u', async () => {
  await expect(VERIFY_PAGE).toMatchFileSnapshot(path.join(ROOT, 'docs', 'verify.html'));
});

test('docs/service.md names its digest', () => {
  const digest = createHash('sha256').update(VERIFY_PAGE).digest('hex');
  expect(readFileSync(path.join(ROOT, 'docs', 'service.md'), 'utf8')).toContain(`\`${digest}\``);
});
