#!/usr/bin/env node
import { runSealaneSite } from '@sealane/site';

process.exitCode = await runSealaneSite(process.argv.slice(2));
