#!/usr/bin/env node
import { runSealaneSite } from '../dist/sealane-site.mjs';

process.exitCode = await runSealaneSite(process.argv.slice(2), new URL('../dist/sealane-site.help.json', import.meta.url));
