/** Keeps the queue of receipts of a site that is cut off from filling its disk: older refusals are summed up in one receipt. */
import { LIMITS } from '@sealane/core';
import { parseBundle, readReceipt } from '@sealane/trust';
import { crashPoint } from '../crash-point.js';
import { receiptFile } from '../state-folder.js';
import { type CarryContext, queueOwedReceipt } from './carry-out.js';
import { dropSummed, queuedNumbers } from './receipt-queue.js';
import { pastRotted } from './rotted-receipts.js';
import { sumUp, type WaitingReceipt } from './sum-up.js';
import { trustedNow } from './trusted-time.js';

/** Receipts that wait on disk, in bytes, before refusals are summed up. */
const MAX_QUEUE_BYTES = 64 * 1024 * 1024;

/** Sums up what is too much, if a state without a debt allows it: the summary is on disk and journalled before what it stands for goes. */
export async function boundQueue(context: CarryContext): Promise<void> {
  const { site, machine, trust } = context;
  const { world, folder, config } = site;
  const { phase, owed } = machine.state();
  const bound = { receipts: config.receiptQueue, bytes: MAX_QUEUE_BYTES };
  if (owed !== null || !['idle', 'admitted', 'staged'].includes(phase.at) || !isOver(context, bound)) return;
  const summary = sumUp(
    pastRotted(site, () => waiting(context)),
    bound,
  );
  if (summary === undefined) return;
  machine.record({ is: 'summing-up', summary, at: trustedNow(trust().time, world.clock) });
  crashPoint('update:summing-up');
  await queueOwedReceipt(context);
  crashPoint('update:summed-up');
  dropSummed(world.disk, folder.receipts, machine.state());
  world.talk(`${summary.count} refusals of ${summary.since} to ${summary.until} are summed up in one receipt`);
}

function isOver({ site: { world, folder }, machine }: CarryContext, bound: { readonly receipts: number; readonly bytes: number }): boolean {
  const files = queuedNumbers(world.disk, folder.receipts, machine.state()).map((seq) => receiptFile(folder.receipts, seq));
  return files.length > bound.receipts || files.reduce((total, file) => total + world.disk.sizeBytes(file), 0) > bound.bytes;
}

function waiting({ site: { world, folder }, machine }: CarryContext): readonly WaitingReceipt[] {
  return queuedNumbers(world.disk, folder.receipts, machine.state()).flatMap((seq) => {
    const bytes = world.disk.read(receiptFile(folder.receipts, seq), LIMITS.bundleBytes);
    if (bytes === undefined) return [];
    const { statement, statementDigest } = parseBundle(bytes);
    return [{ digest: statementDigest, bytes: bytes.length, said: readReceipt(statement) }];
  });
}
