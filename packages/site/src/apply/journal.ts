/**
 * The journal's bytes: one line a record, each with its number, the checksum of the record before, and its own.
 *
 * Pure. A record counts once its line is on disk with its newline. What a power cut can leave is a torn last line: it was never
 * acknowledged and is cut off. Anything else that does not add up was altered or rotted, and nothing is guessed from it.
 */
import {
  canonicalJson,
  concatBytes,
  equalBytes,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
  SealaneError,
  sha256,
  digestHex,
  SiteError,
  utf8,
} from '@sealane/core';

/** One record as it was written; `seq` counts from 1. */
export interface JournalRecord {
  readonly seq: number;
  readonly event: JsonObject;
}

/** Where the next record goes: how many there are, and the checksum of the last (64 zeros before the first). */
export interface JournalHead {
  readonly seq: number;
  readonly sum: string;
}

/** What is in a journal: its records, its head, and how many bytes of it are whole; `torn` bytes after them are to be cut off. */
export interface JournalContents {
  readonly records: readonly JournalRecord[];
  readonly head: JournalHead;
  readonly wholeBytes: number;
  readonly torn: boolean;
}

/** The head of a journal without records. */
export const EMPTY_HEAD: JournalHead = { seq: 0, sum: '0'.repeat(64) };

/** Largest record: an event with 128 checks of a refused waybill stays below. */
const MAX_RECORD_BYTES = 1024 * 1024;

/** Deepest event: receipt, checks, evidence. */
const MAX_RECORD_DEPTH = 16;

const NEWLINE = 0x0a;

/** The line of the next record, newline included, and the head after it. */
export function encodeRecord(head: JournalHead, event: JsonObject): { readonly line: Uint8Array; readonly head: JournalHead } {
  const body = { event, prev: head.sum, seq: head.seq + 1 };
  const sum = checksum(body);
  return { line: concatBytes(canonicalJson({ ...body, sum }), utf8('\n')), head: { seq: body.seq, sum } };
}

/**
 * Reads a whole journal.
 *
 * @throws SiteError `STATE_CORRUPT` a record is altered, missing or out of order; `data.seq` is the number of the first bad one
 */
export function parseJournal(bytes: Uint8Array): JournalContents {
  const records: JournalRecord[] = [];
  let head = EMPTY_HEAD;
  let offset = 0;
  while (offset < bytes.length) {
    const end = bytes.indexOf(NEWLINE, offset);
    const line = bytes.subarray(offset, end < 0 ? bytes.length : end);
    if (isTorn(line, end, bytes.length, head)) return { records, head, wholeBytes: offset, torn: true };
    const record = readLine(line, head);
    records.push(record);
    head = { seq: record.seq, sum: record.sum };
    offset = end + 1;
  }
  return { records, head, wholeBytes: offset, torn: false };
}

/**
 * Whether the bytes from here on are what a power cut leaves of one append: a line without its end, or blocks that the file system
 * gave the file but never filled. A whole record whose newline became another byte is no such thing.
 */
function isTorn(line: Uint8Array, end: number, sizeBytes: number, head: JournalHead): boolean {
  if (end < 0) return !isRecord(line.subarray(0, -1), head);
  return end === sizeBytes - 1 && line.includes(0);
}

function isRecord(line: Uint8Array, head: JournalHead): boolean {
  try {
    readLine(line, head);
    return true;
  } catch (error) {
    // the question is only whether it is one
    if (error instanceof SealaneError) return false;
    throw error;
  }
}

function readLine(line: Uint8Array, head: JournalHead): JournalRecord & { readonly sum: string } {
  const expected = head.seq + 1;
  const value = parseLine(line, expected);
  const { event, prev, seq, sum } = asObject(value, expected);
  if (seq !== expected || prev !== head.sum) throw corrupt(expected, 'the next record of the chain', 'another one');
  const body = { event: asObject(event, expected), prev, seq };
  if (typeof sum !== 'string' || sum !== checksum(body) || !equalBytes(canonicalJson({ ...body, sum }), line)) {
    throw corrupt(expected, 'a record with its checksum', 'other bytes');
  }
  return { seq, event: body.event, sum };
}

function parseLine(line: Uint8Array, seq: number): JsonValue {
  try {
    return parseStrictJson(line, { maxBytes: MAX_RECORD_BYTES, maxDepth: MAX_RECORD_DEPTH });
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw corrupt(seq, 'a record', 'a line that is none', cause);
  }
}

function checksum(body: JsonObject): string {
  return digestHex(sha256(canonicalJson(body)));
}

function asObject(value: JsonValue | undefined, seq: number): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt(seq, 'an object', typeof value);
  return value as JsonObject;
}

function corrupt(seq: number, expected: string, got: string, cause?: Error): SiteError {
  return new SiteError('STATE_CORRUPT', `read the journal, record ${seq}: expected ${expected}, got ${got}`, { seq }, { cause });
}
