/** Row D9, retention of content: `gc` takes what nothing names, and never what a site, an auditor or a channel still needs. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canonicalJson, digestHex, parseCheckpoint, sha256 } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { runJson } from '../support/run.js';
import { enrolSite } from '../support/site.js';
import { holdLog } from '../attacks/log-holder.js';

let dir: string;
let lane: TestLane;
let blobs: string;
let releases: readonly string[];
/** Blobs that nothing names: an old one, a new one, and what a killed write left. */
let orphan: string;
let fresh: string;
let cut: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-gc-'));
  lane = await makeLane(dir);
  blobs = path.join(lane.lane, 'content', 'blobs', 'sha256');
  releases = [await lane.release('1.0.0'), await lane.release('1.1.0')];
  for (const release of releases) await lane.promote(release);
  [orphan, fresh] = ['orphan', 'fresh'].map((text) => {
    const file = path.join(blobs, digestHex(sha256(Buffer.from(text))));
    writeFileSync(file, text);
    return file;
  }) as [string, string];
  cut = path.join(blobs, '.blob-1-0.tmp');
  writeFileSync(cut, 'half');
  for (const name of readdirSync(blobs)) if (path.join(blobs, name) !== fresh) utimesSync(path.join(blobs, name), 1, 1);
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A file as `gc` lists it. */
interface Listed {
  readonly path: string;
  readonly why: string;
}

const isReplaced = ({ why }: Listed): boolean => why === 'replaced by a newer version';

const inLane = (file: string): string => path.relative(lane.lane, file);

describe('D9 gc', () => {
  it('lists what nothing names and takes nothing until it is told to', async () => {
    const before = readdirSync(blobs);
    const listed = await lane.sealane(['gc']);
    expect(listed).toMatchObject({ deleted: false, keptAsNew: 1 });
    expect(listed.files).toEqual(
      expect.arrayContaining([
        { path: inLane(orphan), bytes: 6, why: 'nothing names it' },
        { path: inLane(cut), bytes: 4, why: 'left by a write that was cut' },
      ]),
    );
    expect(readdirSync(blobs)).toEqual(before);
  });

  it('refuses beside a lane that knows more than its ledger', async () => {
    const checkpoint = path.join(lane.lane, 'log', 'checkpoint');
    const note = readFileSync(checkpoint, 'utf8');
    writeFileSync(checkpoint, note.replace(/\n\d+\n/, '\n99999\n'));
    const answer = await runJson('sealane', ['gc', '--delete', '--home', lane.home]);
    writeFileSync(checkpoint, note);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 8, code: 'LOG_RESTORED' });
    expect(existsSync(orphan)).toBe(true);
  });

  it('lists trust that newer versions have replaced once it is a day old, and never a root, what owners signed, or what is current', async () => {
    const trust = path.join(lane.lane, 'trust');
    const files = (): readonly string[] =>
      readdirSync(trust, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
    expect((await lane.sealane(['gc'])).files.filter(isReplaced)).toEqual([]);
    for (const name of files()) utimesSync(path.join(trust, name), 1, 1);
    const listed: readonly string[] = (await lane.sealane(['gc'])).files
      .filter(isReplaced)
      .map((file: Listed) => path.relative('trust', file.path));
    const newest = (pattern: RegExp): number => Math.max(...files().map((name) => Number(pattern.exec(name)?.[1] ?? 0)));
    const kept = files().filter((name) => !listed.includes(name));
    const [snapshot, prod] = [newest(/^metadata\/(\d+)\.snapshot\.json$/), newest(/^metadata\/(\d+)\.prod\.json$/)];
    expect(snapshot).toBeGreaterThan(3);
    expect(prod).toBeGreaterThan(1);
    expect(kept.filter((name) => name.includes('snapshot'))).toEqual([`metadata/${snapshot}.snapshot.json`]);
    expect(kept.filter((name) => name.startsWith('metadata') && name.includes('.prod.'))).toEqual([`metadata/${prod}.prod.json`]);
    expect(kept.filter((name) => name.startsWith('targets/channel/') && name.includes('.prod.'))).toHaveLength(1);
    expect(listed.filter((name) => /root|policy|metadata\/\d+\.targets|timestamp/.test(name))).toEqual([]);
  });

  it('removes it, and a new site installs and goes back, and the auditor still finds everything', async () => {
    const { files } = await lane.sealane(['gc']);
    const removed = await lane.sealane(['gc', '--delete']);
    expect(removed).toMatchObject({ deleted: true, files });
    expect([orphan, fresh, cut].map((file) => existsSync(file))).toEqual([false, true, false]);
    expect((await lane.sealane(['gc'])).files).toEqual([]);
    // a site of whose every byte comes out of what is left: the release before the current one too
    const site = await enrolSite(lane, path.join(dir, 'site'));
    try {
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: releases[1] });
      await lane.sealane(['channel', 'rollback', 'prod', '--to', releases[0] ?? '', '--reason', 'worse']);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: releases[0] });
    } finally {
      await site.stop();
    }
    expect((await lane.sealane(['audit', 'verify'])).answer.ok).toBe(true);
    for (const release of releases) {
      await lane.sealane(['evidence', 'verify', release, '--to', 'prod']);
      expect((await lane.sealane(['audit', 'trace', release])).complete).toBe(true);
      await lane.sealane(['media', 'export', '--stage', 'prod', '--out', path.join(dir, 'medium', release.slice(-8))]);
    }
  });

  it('removes parts of tiles that have become full, once they are a day old, and a site that knew the log before follows', async () => {
    const log = path.join(lane.lane, 'log');
    const parts = (): readonly string[] => readdirSync(log, { recursive: true, encoding: 'utf8' }).filter((name) => /\.p\/\d+$/.test(name));
    const site = await enrolSite(lane, path.join(dir, 'follower'), { name: 'harbour-9' });
    try {
      await site.must(['update']);
      const before = readFileSync(path.join(log, 'checkpoint'));
      await logMany(300);
      const third = await lane.release('1.2.0');
      await lane.promote(third);
      const isPart = ({ why }: Listed): boolean => why === 'part of a tile that is full';
      expect((await lane.sealane(['gc'])).files.filter(isPart)).toEqual([]);
      for (const name of parts()) utimesSync(path.join(log, name), 1, 1);
      // a publication that was cut before its checkpoint: the one that is there is read with parts of tiles that are full by now
      const after = readFileSync(path.join(log, 'checkpoint'));
      const { size } = parseCheckpoint(before.toString());
      writeFileSync(path.join(log, 'checkpoint'), before);
      const ofCut = (await lane.sealane(['gc'])).files.filter(isPart).map((file: Listed) => path.basename(file.path));
      writeFileSync(path.join(log, 'checkpoint'), after);
      expect(ofCut.length).toBeGreaterThan(0);
      expect(ofCut).not.toContain(String(size));
      const ofFull = parts().filter((name) => name.includes('/000.p/') && !name.startsWith('tile/1/'));
      const listed: readonly Listed[] = (await lane.sealane(['gc', '--delete'])).files.filter(isPart);
      expect(ofFull.length).toBeGreaterThan(10);
      expect(listed.map((file) => path.relative('log', file.path)).sort()).toEqual([...ofFull].sort());
      expect(parts().filter((name) => ofFull.includes(name))).toEqual([]);
      expect(existsSync(path.join(log, 'tile', '0', '000.p'))).toBe(false);
      expect((await lane.sealane(['audit', 'verify'])).answer.ok).toBe(true);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: third });
    } finally {
      await site.stop();
    }
  });
});

/** So many statements that mean nothing to anybody, by the lab. */
async function logMany(count: number): Promise<void> {
  const holder = await holdLog(lane);
  const statements = Array.from({ length: count }, (_, at) =>
    canonicalJson({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: digestHex(sha256(Buffer.from(`thing ${at}`))) } }],
      predicateType: 'https://example.com/note/v1',
      predicate: {},
    }),
  );
  await holder.log(...statements.map((payload) => [payload, 'lab'] as const));
  await holder.close();
}
