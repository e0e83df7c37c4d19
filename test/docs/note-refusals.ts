/** Notes every check of a gate that does not pass, while the tests of the gates run, in the file that `SEALANE_REFUSALS` names. */
import { appendFileSync } from 'node:fs';
import type { Check } from '@sealane/core';
import fc from 'fast-check';
import { vi } from 'vitest';

// what is drawn at random would be on the page one day and not the next
fc.configureGlobal({ seed: 1, numRuns: 1 });

type Make<W> = (id: string, words: W) => Check;

vi.mock('../../packages/trust/src/gates/check-result.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../packages/trust/src/gates/check-result.js')>();
  const noted =
    <W>(make: Make<W>): Make<W> =>
    (id, words) => {
      const check = make(id, words);
      const file = process.env['SEALANE_REFUSALS'];
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(check)}\n`);
      return check;
    };
  return { ...original, failed: noted(original.failed), pending: noted(original.pending), faulty: noted(original.faulty) };
});
