/** `sealane-site receipt export`: queued receipts as files for a courier. They stay queued: the promoter knows one it has by its digest. */
import path from 'node:path';
import { canonicalJson, counted, LIMITS, shellWord, SiteError } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { readState } from '../apply/machine.js';
import { queuedNumbers, readReceipts } from '../apply/receipt-queue.js';
import { refusedNumbers } from '../apply/refused-receipts.js';
import { digestOnDisk } from '../apply/rotted-receipts.js';
import { durableWrite } from '../durable-write.js';
import { certificateRequestName } from '../fetch/certify.js';
import { receiptName } from '../fetch/receipts-flush.js';
import { openSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'receipt export',
  summary: 'copy queued receipts to a folder, to be carried by hand',
  arguments: [{ name: 'dir', description: 'folder, made when missing' }],
  example:
    'sealane-site receipt export receipts --config site/site.yaml --state site/state\nsealane statement add receipts/*.json --home my-lane',
  run: (call) => {
    const site = openSite(call);
    const [dir] = call.args;
    if (typeof dir !== 'string') throw new SiteError('USAGE', 'export receipts: expected a folder');
    const out = path.resolve(call.io.cwd, dir);
    const { disk } = site.world;
    const folder = site.folder.receipts;
    const numbers = queuedNumbers(disk, folder, readState(disk, site.folder.journal));
    disk.makeFolder(out, 0o755);
    const refused = refusedNumbers(site).filter((seq) => digestOnDisk(site, 'refusedReceipts', seq) !== undefined);
    const receipts = [
      ...refused.flatMap((number) => readReceipts(disk, site.folder.refusedReceipts, [number])),
      ...numbers.flatMap((number) => readReceipts(disk, folder, [number])),
    ];
    for (const { seq, bundle } of receipts)
      durableWrite(disk, path.join(out, receiptName(site.config.name, seq)), canonicalJson(bundle), 0o644);
    const request = disk.read(site.folder.certificateRequest, LIMITS.certificateRequestBytes);
    if (request !== undefined) durableWrite(disk, path.join(out, certificateRequestName(site.config.name)), request, 0o644);
    const asks = request === undefined ? '' : ', and a request for a certificate';
    const text = `${counted(receipts.length, 'receipt')} in ${out}${asks}`;
    return Promise.resolve({
      exit: 0,
      json: { out, receipts: receipts.length },
      text,
      hint: `hand them in with: sealane statement add ${shellWord(out)}/*.json`,
    });
  },
};
