#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { expectNode } from './node-version.mjs';

expectNode('sealane-site');
const program = new URL('../dist/sealane-site.mjs', import.meta.url);
// a checkout in which nothing was built yet
if (!existsSync(program)) await (await import('./prepare.mjs')).prepare();
const { runSealaneSite } = await import(program.href);
process.exitCode = await runSealaneSite(process.argv.slice(2), new URL('../dist/sealane-site.help.json', import.meta.url));
