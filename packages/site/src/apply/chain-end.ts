/**
 * Where the chain of receipts ends when no journal says so: by the files that are left. One that rotted is set aside, for it would keep those after it from
 * being sent; auditors miss its number.
 */
import path from 'node:path';
import { type Digest, LIMITS, parseDigest, SealaneError } from '@sealane/core';
import { parseBundle, readReceipt } from '@sealane/trust';
import type { Site } from '../site.js';
import { receiptFile } from '../state-folder.js';
import { setAside } from './journal-file.js';
import { INITIAL_STATE, type SiteState } from './state.js';

/** The last receipt on disk, queued or sent. `journal`: the text of the damaged one, which may still say the digest of a receipt that rotted. */
export function chainEnd({ world, folder }: Pick<Site, 'world' | 'folder'>, journal: string): SiteState['receipts'] {
  const [queued, arrived] = [numbersIn(world, folder.receipts, WHOLE), numbersIn(world, folder.sentReceipts, WHOLE)];
  const sent = Math.max(0, ...arrived);
  // a number that was given is given once, though its receipt was set aside by a run that did not come to its end
  const seq = Math.max(sent, ...queued, ...numbersIn(world, folder.receipts, ASIDE));
  if (seq === 0) return INITIAL_STATE.receipts;
  const prev = digestOf(world, queued.includes(seq) ? folder.receipts : folder.sentReceipts, seq) ?? digestSaid(journal, seq);
  for (const each of queued) {
    if (digestOf(world, folder.receipts, each) !== undefined) continue;
    const aside = setAside(world.disk, receiptFile(folder.receipts, each), world.clock.wallTime());
    world.talk(`receipt ${each} is damaged and lies in ${path.basename(aside)}`);
  }
  return { seq, prev, sent };
}

const WHOLE = /^\d{8}\.json$/;
const ASIDE = /^\d{8}\.json\.damaged-/;

function numbersIn({ disk }: Site['world'], dir: string, named: RegExp): readonly number[] {
  return disk.list(dir).flatMap((name) => (named.test(name) ? [Number(name.slice(0, 8))] : []));
}

/** The digest of a receipt; undefined where the file does not read as the one of that number. */
function digestOf({ disk }: Site['world'], dir: string, seq: number): Digest | undefined {
  try {
    const { statement, statementDigest } = parseBundle(disk.read(receiptFile(dir, seq), LIMITS.bundleBytes) ?? new Uint8Array());
    return readReceipt(statement).seq === seq ? statementDigest : undefined;
  } catch (error) {
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

/** What the record of a receipt says, or a snapshot that ends with it; null where neither is left. */
function digestSaid(journal: string, seq: number): Digest | null {
  const queued = new RegExp(`"digest":"(sha256:[0-9a-f]{64})","is":"receipt-queued","seq":${seq}\\b`);
  const ended = new RegExp(`"receipts":\\{"prev":"(sha256:[0-9a-f]{64})","sent":\\d+,"seq":${seq}\\b`);
  const [, digest] = queued.exec(journal) ?? ended.exec(journal) ?? [];
  return digest === undefined ? null : parseDigest(digest);
}
