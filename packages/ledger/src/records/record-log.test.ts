/** The log of records over files in memory: every proof holds, a kill leaves the head before or after, an old copy signs nothing. */
import { generateKeyPairSync } from 'node:crypto';
import { leafHash, parseCheckpoint, parseVkey, SealaneError, utf8, verifyConsistency, verifyInclusion } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { ed25519NoteSigner } from '../note-signer.js';
import { openRecordLog, type RecordAnchor, type RecordFiles, type RecordLog } from './record-log.js';

const signer = ed25519NoteSigner('records.example', generateKeyPairSync('ed25519').privateKey);

interface Disk {
  readonly files: Map<string, Uint8Array>;
  anchor: string | undefined;
  /** Writes left before it fails. */
  writes: number;
}

const disk = (): Disk => ({ files: new Map(), anchor: undefined, writes: Infinity });

function open(at: Disk): RecordLog {
  const files: RecordFiles = {
    read: (path) => at.files.get(path),
    write: (path, bytes) => {
      if (at.writes === 0) throw new Error('killed');
      at.writes -= 1;
      at.files.set(path, bytes);
    },
    removeFolder: (path) => {
      for (const name of at.files.keys()) if (name.startsWith(`${path}/`)) at.files.delete(name);
    },
  };
  const anchor: RecordAnchor = {
    read: () => at.anchor,
    keep: (note) => {
      at.anchor = note;
    },
  };
  return openRecordLog(files, anchor, signer);
}

const leaf = (number: number): Uint8Array => utf8(`record ${number}`);

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof SealaneError ? error.code : String(error);
  }
  return undefined;
}

function expectProved(log: RecordLog, index: number): void {
  const [{ leaf: bytes, checkpoint, hashes } = expect.fail()] = log.prove([index]);
  expect(bytes).toEqual(leaf(index));
  verifyInclusion({ leafHash: leafHash(bytes), index, size: checkpoint.size, proof: hashes, root: checkpoint.root });
}

describe('a log of records', () => {
  it('proves each of 600 records, over tile borders, opened anew now and then', () => {
    const at = disk();
    let log = open(at);
    for (let index = 0; index < 600; index += 1) {
      if (index % 97 === 0) log = open(at);
      expect(log.append([leaf(index)])).toEqual([index]);
    }
    for (const index of [0, 255, 256, 511, 512, 599]) expectProved(log, index);
    expect(parseCheckpoint(at.anchor ?? '')).toMatchObject({ origin: parseVkey(signer.vkey).name, size: 600 });
    // partial tiles of what is full are gone, those of the right edge are there
    expect([...at.files.keys()].filter((name) => /00[01]\.p\//.test(name) && !name.startsWith('tile/1/'))).toEqual([]);
    expect(at.files.has('tile/0/002.p/88')).toBe(true);
    expect(at.files.has('tile/1/000.p/2')).toBe(true);
  });

  it('logs many at once as it does one by one: the same files, and a proof for each', () => {
    const [single, many] = [disk(), disk()];
    const [one, other] = [open(single), open(many)];
    const sizes = [1, 3, 250, 2, 1, 700, 0, 43, 24];
    let index = 0;
    for (const count of sizes) {
      const leaves = Array.from({ length: count }, (_, at) => leaf(index + at));
      expect(other.append(leaves)).toEqual(leaves.map((_, at) => index + at));
      for (const each of leaves) one.append([each]);
      index += count;
      expect(many.files.get('checkpoint')).toEqual(single.files.get('checkpoint'));
      for (const [name, bytes] of many.files) expect(single.files.get(name), name).toEqual(bytes);
      for (let at = 0; at < index; at += 61) expectProved(other, at);
    }
    expect(other.prove([700, 3, 3]).map(({ index: at }) => at)).toEqual([700, 3, 3]);
    expect(open(many).head().size).toBe(1024);
  });

  it.each([0, 1, 2, 3])('killed before write %i of a record, it goes on with another one', (writes) => {
    const at = disk();
    const before = open(at);
    for (let index = 0; index < 255; index += 1) before.append([leaf(index)]);
    at.writes = writes;
    expect(() => before.append([utf8('lost')])).toThrow('killed');
    at.writes = Infinity;
    const log = open(at);
    expect(log.head().size).toBe(255);
    for (let index = 255; index < 260; index += 1) log.append([leaf(index)]);
    for (const index of [0, 254, 255, 256, 259]) expectProved(log, index);
  });

  it('keeps the lines of witnesses under its newest checkpoint only, and proves to them that it grew', () => {
    const at = disk();
    const log = open(at);
    for (let index = 0; index < 300; index += 1) log.append([leaf(index)]);
    const { root: old } = log.head();
    for (let index = 300; index < 600; index += 1) log.append([leaf(index)]);
    const { note, root } = log.head();
    verifyConsistency({ size1: 300, root1: old, size2: 600, root2: root, proof: log.consistencyProof(300, 600) });
    const line = '— watch.example AAAAAQIDBAUG\n';
    log.keepCosigned([line]);
    const again = open(at);
    expect(again.head()).toMatchObject({ note: note + line, size: 600 });
    again.append([leaf(600)]);
    expect(again.head().note).not.toContain('watch.example');
    expectProved(again, 600);
  });

  it('put back to an earlier day it signs nothing, nor beside a history that was shown', () => {
    const at = disk();
    open(at).append([leaf(0)]);
    const old = new Map(at.files);
    open(at).append([leaf(1)]);
    const { anchor } = at;
    expect(codeOf(() => open({ ...at, files: new Map(old) }))).toBe('LOG_RESTORED');
    expect(codeOf(() => open({ ...at, files: new Map() }))).toBe('LOG_RESTORED');
    const other: Disk = { ...disk(), files: new Map(old) };
    for (const number of [7, 8]) open(other).append([leaf(number)]);
    expect(codeOf(() => open({ ...other, anchor }))).toBe('LOG_FORK');
  });

  it('signs nothing over files that do not fit its checkpoint, or a checkpoint that is not its own', () => {
    const at = disk();
    for (const number of [0, 1, 2]) open(at).append([leaf(number)]);
    const bent = (path: string, bytes: Uint8Array | undefined): Disk => {
      const files = new Map(at.files);
      if (bytes === undefined) files.delete(path);
      else files.set(path, bytes);
      return { ...at, files };
    };
    const tile = at.files.get('tile/0/000.p/3') ?? new Uint8Array();
    expect(codeOf(() => open(bent('tile/0/000.p/3', tile.toReversed())).append([leaf(3)]))).toBe('LEDGER_DAMAGED');
    expect(codeOf(() => open(bent('tile/0/000.p/3', undefined)).append([leaf(3)]))).toBe('LEDGER_DAMAGED');
    expect(codeOf(() => open(bent('tile/entries/000.p/3', undefined)).append([leaf(3)]))).toBe('LEDGER_DAMAGED');
    expect(codeOf(() => open(bent('checkpoint', utf8('no note'))))).toBe('LEDGER_DAMAGED');
    expect(codeOf(() => open(at).prove([3]))).toBe('STATEMENT_UNKNOWN');
  });
});
