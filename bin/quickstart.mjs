// `npm run quickstart [-- --dir DIR]`: installs and builds when needed, then walks the whole lane. Plain Node: no package is there yet.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './prepare.mjs';

try {
  const { values } = parseArgs({ options: { dir: { type: 'string', default: '.quickstart' }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    console.log('npm run quickstart [-- --dir DIR]   walk the whole lane, keeping everything in DIR (default .quickstart)');
  } else {
    await prepare();
    const { walk } = await import('../pipelines/quickstart/walk.mjs');
    process.exitCode = await walk(path.resolve(values.dir));
  }
} catch (error) {
  console.error(`quickstart: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
