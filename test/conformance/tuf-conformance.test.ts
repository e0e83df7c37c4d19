/** The public TUF conformance suite against `sealane tuf`: `docs/conformance.md` says how to get it. Three to five minutes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { pythonWith } from '../support/python.js';

/** Cases of theupdateframework/tuf-conformance at eec841c186f81f2d9d8d30460c7e7deefa615f9e: 110 of clients, 3 of its own simulator. */
const CASES = 113;
const TIMEOUT_MS = 15 * 60_000;

interface Report {
  readonly summary: { readonly total: number; readonly passed?: number };
  readonly tests: readonly { readonly nodeid: string; readonly outcome: string }[];
}

/** The suite's checkout. */
function checkout(): string | undefined {
  const folder = process.env['SEALANE_TUF_CONFORMANCE'];
  if (folder !== undefined && folder !== '') return folder;
  return undefined;
}

const suite = checkout();
const python = suite === undefined ? undefined : pythonWith('tuf', 'securesystemslib.hash', 'pytest', 'pytest_jsonreport');

describe.skipIf(suite === undefined || python === undefined)('the public TUF suite (skipped without SEALANE_TUF_CONFORMANCE)', () => {
  it(
    `passes all ${CASES} cases`,
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'sealane-tuf-conformance-'));
      try {
        const file = path.join(folder, 'report.json');
        const client = path.join(import.meta.dirname, 'tuf-client.mjs');
        const words = [
          '-m',
          'pytest',
          'tuf_conformance',
          '-q',
          '-p',
          'no:cacheprovider',
          '--entrypoint',
          client,
          '--json-report',
          `--json-report-file=${file}`,
        ];
        // pytest's exit code says no more than the report, which also names what failed
        await promisify(execFile)(python ?? '', words, { cwd: suite ?? '', maxBuffer: 64 * 1024 * 1024 }).catch(() => undefined);
        const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
        expect(report.tests.filter(({ outcome }) => outcome !== 'passed').map(({ nodeid, outcome }) => `${outcome} ${nodeid}`)).toEqual([]);
        expect(report.summary).toMatchObject({ total: CASES, passed: CASES });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
