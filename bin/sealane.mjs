#!/usr/bin/env node
import { runSealane } from '../dist/sealane.mjs';

process.exitCode = await runSealane(process.argv.slice(2), new URL('../dist/sealane.help.json', import.meta.url));
