#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { expectNode } from './node-version.mjs';

expectNode('sealane');
const program = new URL('../dist/sealane.mjs', import.meta.url);
// a checkout in which nothing was built yet
if (!existsSync(program)) await (await import('./prepare.mjs')).prepare();
const { runSealane } = await import(program.href);
process.exitCode = await runSealane(process.argv.slice(2), new URL('../dist/sealane.help.json', import.meta.url));
