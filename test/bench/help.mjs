// What a command's help costs, beside starting Node at all.
import path from 'node:path';
import { median, ROOT, round, timed } from './measure.mjs';

const RUNS = 15;

export function measureHelp() {
  const rows = { node: [], promote: [], update: [] };
  for (let run = 0; run < RUNS; run += 1) {
    rows.node.push(timed(process.execPath, ['-e', '0']).ms);
    rows.promote.push(timed(process.execPath, [path.join(ROOT, 'bin', 'sealane.mjs'), 'promote', '--help']).ms);
    rows.update.push(timed(process.execPath, [path.join(ROOT, 'bin', 'sealane-site.mjs'), 'update', '--help']).ms);
  }
  const limit = median(rows.node);
  return [
    ['help-sealane', '`sealane promote --help`, beside `node -e 0`', median(rows.promote)],
    ['help-site', '`sealane-site update --help`, beside `node -e 0`', median(rows.update)],
  ].map(([id, what, ours]) => ({ id, what, ours: round(ours), peer: null, limit: round(limit), ratio: round(ours / limit), unit: 'ms' }));
}
