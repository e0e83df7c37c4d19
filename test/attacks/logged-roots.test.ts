/** T16: every root is in the log before sites can see it. A root that thieves of the owners' keys show to some beside the log is found, and the second one of a version is named a fork. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canonicalJson, type JsonObject } from '@sealane/core';
import { ROOTS_LOGGED_MARK, signMetadata } from '@sealane/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, runJson } from '../support/run.js';
import { exampleSigner, LaneCopy } from './attacker.js';

let dir: string;
let lane: TestLane;
let release: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-roots-'));
  lane = await makeLane(dir);
  release = await lane.release('1.0.0');
  await lane.promote(release, 'dev');
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

const rootFile = (version: number): string => `trust/metadata/${version}.root.json`;
const copyAt = (name: string): LaneCopy => LaneCopy.of(lane.lane, path.join(dir, name));

/** What the holder of root's keys makes of a root: another version of it, and whatever else. */
async function signed(copy: LaneCopy, version: number, change: JsonObject, owners = ['root-1', 'root-2']): Promise<Uint8Array> {
  const body = copy.signed(`metadata/${version}.root.json`) as JsonObject;
  return await signMetadata(canonicalJson({ signatures: [], signed: { ...body, ...change } }), owners.map(exampleSigner));
}

async function audit(...words: readonly string[]): Promise<{ exit: number | null; problems: Answer['json'] }> {
  const { exit, json } = await runJson('sealane', ['audit', 'verify', ...words, '--home', lane.home]);
  return { exit, problems: json?.answer?.problems ?? json?.error?.code };
}

/** Another key for the timestamp, and so a new root that the owners sign and publish. */
async function nextRoot(): Promise<void> {
  await lane.sealane(['key', 'rotate', 'timestamp'], 5);
  for (const owner of ['root-1', 'root-2']) await lane.sealane(['trust', 'sign', path.join(lane.home, 'proposal.json'), '--key', owner]);
  await lane.sealane(['trust', 'publish']);
}

const BESIDE = { where: 'root', key: '2', actual: 'none: this root was made beside the log' };
const FORK = { where: 'root', key: '2', actual: expect.stringMatching(/^two that owners signed, which is a fork/) as string };

describe('B6 T16 a root beside the log', () => {
  it('is found by the auditor in the lane that shows it, though its signatures hold', async () => {
    const copy = copyAt('beside');
    copy.write(rootFile(2), await signed(copy, 1, { version: 2 }));
    const verified = await runJson('sealane', ['trust', 'verify', '--lane', copy.dir, '--home', lane.home]);
    expect(verified.json.versions).toMatchObject({ root: 2 });
    expect(await audit('--lane', copy.dir)).toMatchObject({ exit: 4, problems: [BESIDE] });
    expect(await audit()).toEqual({ exit: 0, problems: [] });
  });

  it('is found when a site brings it, and one by strangers proves nothing', async () => {
    const copy = copyAt('brought');
    const [file, other] = [path.join(dir, 'brought.root.json'), path.join(dir, 'stranger.root.json')];
    writeFileSync(file, await signed(copy, 1, { version: 2 }));
    expect(await audit('--seen', file)).toMatchObject({ exit: 4, problems: [BESIDE] });
    writeFileSync(other, await signed(copy, 1, { version: 2 }, ['root-1', 'alice']));
    expect(await audit('--seen', other)).toEqual({ exit: 4, problems: 'STATEMENT_SIGNATURE' });
    writeFileSync(file, copy.read(rootFile(1)));
    expect(await audit('--seen', file)).toEqual({ exit: 0, problems: [] });
  });

  it('stops an approver who has the published lane alone', async () => {
    const copy = copyAt('approver');
    const root = path.join(dir, 'given.root.json');
    writeFileSync(root, copy.read(rootFile(1)));
    const explain = ['explain', release, '--to', 'edge-preprod', '--lane', copy.dir, '--root', root];
    expect((await runJson('sealane', explain, { cwd: dir })).exit).toBe(0);
    copy.write(rootFile(2), await signed(copy, 1, { version: 2 }));
    const { exit, json } = await runJson('sealane', explain, { cwd: dir });
    expect({ exit, code: json.error.code, decision: json.decision }).toEqual({ exit: 4, code: 'LOG_NOT_INCLUDED', decision: undefined });
  });
});

describe('B6 T16 two roots of one version', () => {
  it('what owners publish is in the log, with the root that the lane began with, and with who signed it', async () => {
    await nextRoot();
    expect(await audit()).toEqual({ exit: 0, problems: [] });
    const { answer, statements, complete } = await lane.sealane(['audit', 'keys']);
    const owners = ['root-1', 'root-2'].map((name) => exampleSigner(name).keyId).sort();
    expect(answer.roots).toMatchObject([1, 2].map((version) => ({ version, signedBy: owners })));
    expect(complete).toBe(true);
    expect(statements).toEqual(
      expect.arrayContaining(
        answer.roots.map((root: { logIndex: number }) => expect.objectContaining({ logIndex: root.logIndex }) as unknown),
      ),
    );
    const { answer: ofOwner } = await lane.sealane(['audit', 'keys', owners[0] ?? '']);
    expect(ofOwner.roots).toHaveLength(2);
  });

  it('are named a fork: the one that a lane shows, against the one that the log has', async () => {
    const copy = copyAt('fork');
    copy.write(rootFile(2), await signed(copy, 2, { expires: '2099-01-01T00:00:00Z' }));
    expect(await audit('--lane', copy.dir)).toMatchObject({ exit: 4, problems: [FORK] });
  });

  it('are named a fork: the one that a retired quorum shows a site that never saw the newer one', async () => {
    const file = path.join(dir, 'forked.root.json');
    writeFileSync(file, await signed(copyAt('retired'), 1, { version: 2 }));
    expect(await audit('--seen', file)).toMatchObject({ exit: 4, problems: [FORK] });
    // a further signature makes no other root
    writeFileSync(file, await signMetadata(readFileSync(path.join(lane.lane, rootFile(2))), [exampleSigner('root-3')]));
    expect(await audit('--seen', file)).toEqual({ exit: 0, problems: [] });
  });

  it('are not made by the promoter: what owners signed later is not published while the log has the first', async () => {
    // a promoter that was killed after it had logged version 3
    const proposal = path.join(lane.home, 'proposal.json');
    const sign = async (...owners: readonly string[]): Promise<void> => {
      for (const owner of owners) await lane.sealane(['trust', 'sign', proposal, '--key', owner]);
    };
    await lane.sealane(['trust', 'propose', '--renew'], 5);
    await sign('root-1', 'root-2', 'targets-1', 'targets-2');
    await killAt('trust:root-logged', 'sealane', ['trust', 'publish', '--home', lane.home]);
    expect(await audit()).toEqual({ exit: 0, problems: [] });
    await lane.sealane(['key', 'rotate', 'snapshot'], 5);
    await sign('root-1', 'root-2');
    const { exit, json } = await runJson('sealane', ['trust', 'publish', '--home', lane.home]);
    expect({ exit, code: json.error.code }).toEqual({ exit: 2, code: 'PROPOSAL_STALE' });
    const [kept] = /\/\S+\/proposals\/root-3-targets-\d+\.json/.exec(String(json.error.hint)) ?? [];
    rmSync(proposal);
    await lane.sealane(['trust', 'publish', kept ?? 'the hint names no file']);
    expect(await audit()).toEqual({ exit: 0, problems: [] });
    expect((await lane.sealane(['audit', 'keys'])).answer.roots).toHaveLength(3);
  });
});

describe('B6 T16 a lane of before roots were logged', () => {
  it('stays as good as it was, and from its next root on each is in the log', async () => {
    const before = path.join(dir, 'before');
    const old = await makeLane(before);
    try {
      const here = new LaneCopy(old.lane);
      const unmarked = async (version: number): Promise<Uint8Array> => {
        const { [ROOTS_LOGGED_MARK]: _mark, ...body } = here.signed('metadata/1.root.json') as JsonObject;
        return await signMetadata(canonicalJson({ signatures: [], signed: { ...body, version } }), ['root-1', 'root-2'].map(exampleSigner));
      };
      for (const version of [1, 2]) here.write(rootFile(version), await unmarked(version));
      await old.promote(await old.release('1.0.0'), 'dev');
      const problems = async (exit: number): Promise<unknown> => (await old.sealane(['audit', 'verify'], exit)).answer.problems;
      expect(await problems(0)).toEqual([]);
      await old.sealane(['key', 'rotate', 'timestamp'], 5);
      for (const owner of ['root-1', 'root-2']) await old.sealane(['trust', 'sign', path.join(old.home, 'proposal.json'), '--key', owner]);
      await old.sealane(['trust', 'publish']);
      expect((await old.sealane(['audit', 'keys'])).answer.roots).toMatchObject([{ version: 1 }, { version: 2 }, { version: 3 }]);
      expect(await problems(0)).toEqual([]);
      here.write(rootFile(4), await signed(here, 3, { version: 4 }));
      expect(await problems(4)).toMatchObject([{ ...BESIDE, key: '4' }]);
      // what was made beside the log is not brought into it by the next one
      await old.sealane(['key', 'rotate', 'snapshot'], 5);
      for (const owner of ['root-1', 'root-2']) await old.sealane(['trust', 'sign', path.join(old.home, 'proposal.json'), '--key', owner]);
      await old.sealane(['trust', 'publish']);
      expect(await problems(4)).toMatchObject([{ ...BESIDE, key: '4' }]);
    } finally {
      await old.stop();
    }
  });
});
