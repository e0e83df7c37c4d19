/** Where the chain of receipts ends when no journal says so: by the files that are left. */
import { type Digest, parseDigest } from '@sealane/core';
import type { Site } from '../site.js';
import { digestOnDisk, setAsideRotted } from './rotted-receipts.js';
import { INITIAL_STATE, type SiteState } from './state.js';

/** The last receipt on disk, queued or sent. `journal`: the text of the damaged one, which may still say the digest of a receipt that rotted. */
export function chainEnd({ world, folder }: Pick<Site, 'world' | 'folder'>, journal: string): SiteState['receipts'] {
  const [queued, arrived] = [numbersIn(world, folder.receipts, WHOLE), numbersIn(world, folder.sentReceipts, WHOLE)];
  const refused = numbersIn(world, folder.refusedReceipts, WHOLE);
  const sent = Math.max(0, ...arrived);
  // a number that was given is given once, though its receipt was set aside by a run that did not come to its end
  const seq = Math.max(sent, ...queued, ...refused, ...numbersIn(world, folder.receipts, ASIDE));
  if (seq === 0) return INITIAL_STATE.receipts;
  const where = queued.includes(seq) ? 'receipts' : refused.includes(seq) ? 'refusedReceipts' : 'sentReceipts';
  const prev = digestOnDisk({ world, folder }, where, seq) ?? digestSaid(journal, seq);
  setAsideRotted({ world, folder });
  return { seq, prev, sent };
}

const WHOLE = /^\d{8}\.json$/;
const ASIDE = /^\d{8}\.json\.damaged-/;

function numbersIn({ disk }: Site['world'], dir: string, named: RegExp): readonly number[] {
  return disk.list(dir).flatMap((name) => (named.test(name) ? [Number(name.slice(0, 8))] : []));
}

/** What the record of a receipt says, or a snapshot that ends with it; null where neither is left. */
function digestSaid(journal: string, seq: number): Digest | null {
  const queued = new RegExp(`"digest":"(sha256:[0-9a-f]{64})","is":"receipt-queued","seq":${seq}\\b`);
  const ended = new RegExp(`"receipts":\\{"prev":"(sha256:[0-9a-f]{64})","sent":\\d+,"seq":${seq}\\b`);
  const [, digest] = queued.exec(journal) ?? ended.exec(journal) ?? [];
  return digest === undefined ? null : parseDigest(digest);
}
