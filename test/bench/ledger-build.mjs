// Bundles what the benchmarks of the ledger reach into, once a run.
import path from 'node:path';
import { bundleModules } from '../../bin/bundle.mjs';
import { ROOT } from './measure.mjs';

/** A folder of dist/, where the native package is found from. */
const OUT = path.join(ROOT, 'dist', 'bench');
export const PARTS = path.join(OUT, 'ledger-parts.mjs');

let built;

/** The parts, as a module. */
export async function ledgerParts() {
  built ??= bundleModules(OUT, { 'ledger-parts': 'test/bench/ledger-parts.ts' });
  await built;
  return await import(PARTS);
}
