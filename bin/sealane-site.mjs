#!/usr/bin/env node
import { runSealaneSite } from '../dist/sealane-site.mjs';

process.exitCode = await runSealaneSite(process.argv.slice(2));
