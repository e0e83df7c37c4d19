import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Tests run from source: the condition makes `@sealane/*` resolve to `src/`, so no test ever sees a stale `dist/`.
const source = { resolve: { conditions: ['@sealane/source'] }, ssr: { resolve: { conditions: ['@sealane/source'] } } };

/** Needs the checkout of a foreign suite: run by hand, as docs/conformance.md says. */
const PUBLIC_SUITE = 'test/conformance/tuf-conformance.test.ts';

export default defineConfig({
  test: {
    // what is missing on this machine is told once, below the results
    reporters: ['default', './test/support/skip-report.ts'],
    projects: [
      // One module graph a worker: half of the time of this suite was loading the same modules anew for each file. Sources keep no module state.
      // Two workers: of two cores it would use one, and most tests wait for a disk now and then.
      {
        ...source,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts'],
          globalSetup: ['test/support/own-tmpdir.ts'],
          // what takes a second here took half a minute on a busy machine of others
          testTimeout: 90_000,
          hookTimeout: 90_000,
          expect: { poll: { timeout: 60_000 } },
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        ...source,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: [PUBLIC_SUITE],
          // the executables are run from dist/
          globalSetup: ['bin/prepare.mjs', 'test/support/sweep-folders.ts'],
          setupFiles: ['test/support/note-folders.ts'],
          // Ends what hangs. Half a minute of the quickstart took more than three on a machine that was busy with ten times its cores.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // what is waited for comes late there, too
          expect: { poll: { timeout: 300_000 } },
          // After the unit tests. One file more at a time than there are cores: half of its time a test waits for a disk or another program. Each has folders, ports
          // and namespaces of its own.
          maxWorkers: Math.min(4, availableParallelism() + 1),
          sequence: { groupOrder: 1 },
        },
      },
      // The tests of the gates once more, each refusal noted: what docs/refusals.md is made from.
      {
        ...source,
        test: {
          name: 'refusals',
          include: ['packages/trust/src/gates/*.test.ts'],
          setupFiles: ['test/docs/note-refusals.ts'],
          testTimeout: 60_000,
        },
      },
      // The same trials of parsers that are in the unit suite, each for as long as SEALANE_FUZZ_SECONDS says.
      {
        ...source,
        test: { name: 'fuzz', include: ['packages/*/src/**/hostile-input.test.ts'], testTimeout: 24 * 3600 * 1000, hookTimeout: 60_000 },
      },
      {
        ...source,
        test: {
          name: 'reliability',
          include: ['test/reliability/*.reliability.ts'],
          setupFiles: ['test/reliability/no-flushes.ts'],
          globalSetup: ['bin/prepare.mjs'],
          testTimeout: 12 * 3600 * 1000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      { ...source, test: { name: 'public-suite', include: [PUBLIC_SUITE], globalSetup: ['bin/prepare.mjs'] } },
    ],
  },
});
