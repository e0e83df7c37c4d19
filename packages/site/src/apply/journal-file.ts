/** The journal on disk: opened once by a command that holds the lock, then only appended to. */
import path from 'node:path';
import type { JsonObject } from '@sealane/core';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { EMPTY_HEAD, encodeRecord, type JournalHead, type JournalRecord, parseJournal } from './journal.js';

/** An open journal. `append` returns when the record is on disk. */
export interface Journal {
  readonly records: readonly JournalRecord[];
  append(event: JsonObject): void;
  /** Replaces all records by one that says the same. */
  compact(event: JsonObject): void;
  sizeBytes(): number;
}

/** Beyond this many bytes nothing is read: a journal is compacted long before. */
export const MAX_JOURNAL_BYTES = 64 * 1024 * 1024;

/**
 * Opens a journal and cuts off a torn last line.
 *
 * @throws SiteError `STATE_CORRUPT` anything but a torn last line is wrong; the file is left as it is
 */
export function openJournal(disk: Disk, file: string): Journal {
  const bytes = disk.read(file, MAX_JOURNAL_BYTES);
  const contents = parseJournal(bytes ?? new Uint8Array());
  if (bytes === undefined) durableWrite(disk, file, new Uint8Array());
  if (contents.torn) disk.truncateSynced(file, contents.wholeBytes);
  let { head, wholeBytes } = contents;
  const advance = (next: JournalHead, sizeBytes: number): void => {
    head = next;
    wholeBytes = sizeBytes;
  };
  return {
    records: contents.records,
    append: (event) => {
      const next = encodeRecord(head, event);
      appendOrUndo(disk, file, wholeBytes, next.line);
      advance(next.head, wholeBytes + next.line.length);
    },
    compact: (event) => {
      const next = encodeRecord(EMPTY_HEAD, event);
      durableWrite(disk, file, next.line);
      advance(next.head, next.line.length);
    },
    sizeBytes: () => wholeBytes,
  };
}

/** Reads the records without opening for writing: what `status` and other onlookers use while an update runs. */
export function readJournal(disk: Disk, file: string): readonly JournalRecord[] {
  return parseJournal(disk.read(file, MAX_JOURNAL_BYTES) ?? new Uint8Array()).records;
}

/** A failed append (no space, read-only) must not leave half a line before the next record. */
function appendOrUndo(disk: Disk, file: string, sizeBytes: number, line: Uint8Array): void {
  try {
    disk.appendSynced(file, line);
  } catch (error) {
    if (disk.kind(file) === 'file' && disk.sizeBytes(file) > sizeBytes) disk.truncateSynced(file, sizeBytes);
    throw error;
  }
}

/** Where what is damaged is kept, under a name that says since when. */
export function asideOf(file: string, stamp: string): string {
  return `${file}.damaged-${stamp.replaceAll(':', '')}`;
}

/** Sets what is damaged aside; returns the new path. */
export function setAside(disk: Disk, file: string, stamp: string): string {
  const aside = asideOf(file, stamp);
  disk.rename(file, aside);
  disk.syncFolder(path.dirname(file));
  return aside;
}
