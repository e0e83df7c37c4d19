/**
 * Why the last sync did not bring all that the lane has for this site. Kept in a file of its own, and written only when it is another: it is news for
 * whoever looks, not a state that anything is decided by.
 */
import { ERRORS, SiteError } from '@sealane/core';
import { type Disk, isNodeError } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { FETCH_MAY_SAY, type FetchCode, sayable } from '../fetch/may-say.js';
import type { SyncAnswer } from '../fetch/protocol.js';
import { readSealed, sealed } from '../sealed-file.js';

/** `since`: trusted time of the first sync in a row that ended like this. */
export interface LinkNote {
  readonly code: FetchCode;
  readonly since: string;
}

/** What to do about what `fetch` ran into: where the table speaks of another program's file or folder, its own. */
export function linkRemedy(code: FetchCode): string {
  if (code === 'CONFIG_INVALID')
    return 'see the certificate files of upstreams in site.yaml: that they are there, and that fetch may read them';
  if (code === 'STATE_UNWRITABLE') return 'let fetch write its mirror: see owner, mode and mount of that folder';
  return ERRORS[code].hint;
}

/** What a sync ran into; null when it brought all that there is, or all that may come before it is judged. */
export function linkCodeOf({ outcome, code }: Pick<SyncAnswer, 'outcome' | 'code'>): FetchCode | null {
  if (outcome !== 'failed' && (outcome !== 'partial' || code === null)) return null;
  return sayable(code);
}

/** Notes how a sync ended. A disk that takes no note does not stop an update. */
export function noteLink(disk: Disk, file: string, synced: SyncAnswer, now: string): void {
  const before = readLinkNote(disk, file);
  const code = linkCodeOf(synced);
  if (code === (before?.code ?? null)) return;
  try {
    if (code === null) disk.remove(file);
    else durableWrite(disk, file, sealed({ code, since: now }));
  } catch (error) {
    // the update itself says what is wrong with the disk
    if (!isNodeError(error, 'ENOSPC', 'EDQUOT', 'EROFS')) throw error;
  }
}

/** The note; undefined when the last sync brought all. A damaged one tells nothing. */
export function readLinkNote(disk: Disk, file: string): LinkNote | undefined {
  try {
    const { code, since } = readSealed(disk, file) ?? {};
    const known = FETCH_MAY_SAY.find((each) => each === code);
    return known === undefined || typeof since !== 'string' ? undefined : { code: known, since };
  } catch (error) {
    if (error instanceof SiteError && error.code === 'STATE_CORRUPT') return undefined;
    throw error;
  }
}
