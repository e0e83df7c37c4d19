/** Below the results of a run: how many tests were skipped, and for want of which part. Each says so at the end of its name. */
import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** How a name says it: `(skipped without podman)`, `(skipped where no link can be made)`, `(needs /dev/kvm)`. */
const WHY = /\(((?:skipped (?:without|where)|needs) [^()]+)\)/;

/** A test that was skipped: its whole name, and the note that it left, if it decided that itself. */
export interface SkippedTest {
  readonly fullName: string;
  readonly note?: string | undefined;
}

/** A line for each reason, the one of most tests first; none when nothing was skipped for want of a part: whom `-t` leaves out has no reason. */
export function skipLines(tests: readonly SkippedTest[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { fullName, note } of tests) {
    const why = WHY.exec(fullName)?.[1] ?? note;
    if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  const lines = [...counts].sort(([, left], [, right]) => right - left).map(([why, count]) => `  ${String(count).padStart(5)}  ${why}`);
  return lines.length === 0 ? [] : ['Not run on this machine (.ci/run installs every part on Debian):', ...lines];
}

/** Tells it when a run of all tests has ended: of those that `-t` leaves out nobody can tell why they were. */
export default class SkipReport implements Reporter {
  private isWhole = true;

  onInit({ config }: Vitest): void {
    this.isWhole = config.testNamePattern === undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (!this.isWhole) return;
    const tests = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    const lines = skipLines(
      tests.map((test) => {
        const result = test.result();
        return { fullName: test.fullName, note: result.state === 'skipped' ? result.note : undefined };
      }),
    );
    if (lines.length > 0) console.log(`\n${lines.join('\n')}\n`);
  }
}
