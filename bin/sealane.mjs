#!/usr/bin/env node
import { runSealane } from '@sealane/promoter';

process.exitCode = await runSealane(process.argv.slice(2));
