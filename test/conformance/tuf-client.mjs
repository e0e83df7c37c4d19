#!/usr/bin/env node
// The public TUF suite's client under test: `CLIENT [flags] init|refresh|download [ROOT]` becomes `sealane tuf init|refresh|download [ROOT] [flags]`.
import { parseArgs } from 'node:util';

const text = { type: 'string' };
const options = {
  'metadata-dir': text,
  'metadata-url': text,
  'target-name': { type: 'string', multiple: true },
  'target-base-url': text,
  'target-dir': text,
};
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const flags = Object.entries(values).flatMap(([name, value]) => [value].flat().map((one) => `--${name}=${one}`));
const launcher = new URL('../../bin/sealane.mjs', import.meta.url);
process.argv = [process.argv[0] ?? 'node', launcher.pathname, 'tuf', ...positionals, ...flags];
await import(launcher.href);
