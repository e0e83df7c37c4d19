/** A Python that has the modules a test needs: `SEALANE_PYTHON`, else `python3`; absent is a named skip, but a failure where everything is required. */
import { spawnSync } from 'node:child_process';

/** The interpreter, or undefined when one of the modules is missing. */
export function pythonWith(...modules: readonly string[]): string | undefined {
  const python = process.env['SEALANE_PYTHON'] ?? 'python3';
  const probe = spawnSync(python, ['-c', `import ${modules.join(', ')}`], { encoding: 'utf8' });
  if (probe.status === 0) return python;
  if (process.env['SEALANE_REQUIRE'] === 'all') {
    const why = probe.stderr.trim().split('\n').at(-1) ?? probe.error?.message;
    throw new Error(`find a Python with ${modules.join(', ')}: expected it at ${python} (SEALANE_PYTHON), got: ${why ?? 'nothing'}`);
  }
  return undefined;
}
