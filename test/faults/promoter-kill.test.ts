/** SIGKILL at each durable step of the promoter's commands: the lane stays readable, and the same command run again loses and doubles nothing. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, expectJson, type Server, startServer } from '../support/run.js';

let dir: string;
let lane: TestLane;
let release: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-kill-'));
  lane = await makeLane(dir);
  release = await lane.release('1.0.0');
  await lane.promote(release, 'edge-preprod');
  for (const person of ['alice', 'bob']) await lane.sealane(['approve', release, '--to', 'prod', '--key', person]);
  await lane.stop();
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** A copy of the home with a witness of its own, which has seen the same log. */
interface Copy {
  readonly home: string;
  readonly dir: string;
  readonly witness: Server;
  sealane(words: readonly string[], exit?: number): Promise<Answer['json']>;
}

async function withCopy(use: (copy: Copy) => Promise<void>): Promise<void> {
  const scratch = mkdtempSync(path.join(dir, 'copy-'));
  const [home, state] = [path.join(scratch, 'home'), path.join(scratch, 'witness')];
  cpSync(lane.home, home, { recursive: true, verbatimSymlinks: true });
  cpSync(path.join(dir, 'witness'), state, { recursive: true, verbatimSymlinks: true });
  const vkey = readFileSync(path.join(home, 'log.vkey'), 'utf8').trim();
  const witness = await startServer('sealane', ['witness', 'serve', '--state', state, '--log', vkey, '--listen', '127.0.0.1:0']);
  const pipeline = path.join(home, 'pipeline.yaml');
  writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace(/url: http:\/\/127.*/, `url: ${witness.url}`));
  try {
    await use({ home, dir: scratch, witness, sealane: (words, exit = 0) => expectJson('sealane', [...words, '--home', home], exit) });
  } finally {
    await witness.stop();
  }
}

/** What must hold of a home at rest: the lane verifies as a site would verify it, and so does the ledger. */
async function expectSound({ sealane }: Copy): Promise<void> {
  await sealane(['trust', 'verify']);
  expect((await sealane(['audit', 'verify'])).answer).toMatchObject({ ok: true, problems: [] });
}

const PROMOTE_POINTS = [
  'ledger:rows-written',
  'ledger:committed',
  'ledger:anchored',
  'promote:decision-logged',
  'ledger:cosigned#2',
  'promote:decision-witnessed',
  'disk:renamed#1',
  'disk:renamed#3',
  'disk:renamed#5',
  'ledger:tiles-published',
  'ledger:checkpoint-published',
  'publish:log-written',
  'disk:renamed#9',
  'disk:renamed#10',
  'publish:snapshot-written',
  'publish:timestamp-written',
  'promote:published',
];

describe('promote', () => {
  it.each(PROMOTE_POINTS)('killed at %s', async (point) => {
    await withCopy(async (copy) => {
      await killAt(point, 'sealane', ['promote', release, '--to', 'prod', '--home', copy.home]);
      await expectSound(copy);
      const again = await copy.sealane(['promote', release, '--to', 'prod']);
      expect(again.decision).toBe('passed');
      await expectSound(copy);
      const channel = await copy.sealane(['channel', 'show', 'prod']);
      expect(channel.groups).toMatchObject([{ release, counter: 1 }]);
      const trace = await copy.sealane(['audit', 'trace', release]);
      const decided = trace.answer.decisions.filter((decision: { stage: string }) => decision.stage === 'prod');
      expect(decided).toMatchObject([{ result: 'PASSED' }]);
      // and once more: nothing new
      const third = await copy.sealane(['promote', release, '--to', 'prod']);
      expect({ statement: third.statement, logIndex: third.logIndex }).toEqual({ statement: again.statement, logIndex: again.logIndex });
    });
  });

  it('whose witness is killed before it answers waits (5), and goes on when it is back', async () => {
    await withCopy(async (copy) => {
      await copy.witness.stop('SIGKILL');
      const waiting = await copy.sealane(['promote', release, '--to', 'prod'], 5);
      expect(waiting.decision).toBe('passed');
      expect((await copy.sealane(['channel', 'show', 'prod'])).groups).toEqual([]);
      const vkey = readFileSync(path.join(copy.home, 'log.vkey'), 'utf8').trim();
      const back = await startServer('sealane', [
        'witness',
        'serve',
        '--state',
        path.join(copy.dir, 'witness'),
        '--log',
        vkey,
        '--listen',
        new URL(copy.witness.url).host,
      ]);
      try {
        const done = await copy.sealane(['promote', release, '--to', 'prod']);
        expect(done.logIndex).toBe(waiting.logIndex);
        await expectSound(copy);
      } finally {
        await back.stop();
      }
    });
  });

  it('called twice at the same time makes one decision', async () => {
    await withCopy(async (copy) => {
      const words = ['promote', release, '--to', 'prod'];
      const [first, second] = await Promise.all([copy.sealane(words), copy.sealane(words)]);
      expect(second.statement).toBe(first.statement);
      expect((await copy.sealane(['channel', 'show', 'prod'])).groups).toMatchObject([{ release, counter: 1 }]);
      await expectSound(copy);
    });
  });
});

describe('evidence add', () => {
  it.each(['evidence:checked', 'ledger:rows-written', 'ledger:committed', 'evidence:logged'])(
    'killed at %s logs its statement once',
    async (point) => {
      await withCopy(async (copy) => {
        const count = async (): Promise<number> => (await copy.sealane(['evidence', 'list', release])).statements.length;
        const before = await count();
        const words = ['evidence', 'add', release, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder'];
        await killAt(point, 'sealane', [...words, '--home', copy.home]);
        await expectSound(copy);
        await copy.sealane(words);
        await copy.sealane(words);
        await expectSound(copy);
        expect((await count()) - before).toBeLessThanOrEqual(1);
      });
    },
  );
});

/** Entries by a key of this name that name roots. */
async function rootsLoggedBy({ sealane }: Copy, name: string): Promise<number> {
  const { keys } = await sealane(['key', 'list']);
  const { id } = keys.find(({ names }: { names: string[] }) => names.includes(name));
  const { answer } = await sealane(['audit', 'keys', id]);
  return answer.signed.filter(({ predicateType }: { predicateType: string }) => predicateType === 'urn:sealane:root:v1').length;
}

describe('trust publish', () => {
  it.each(['trust:files-written', 'trust:targets-written', 'trust:root-written', 'publish:snapshot-written', 'publish:timestamp-written'])(
    'killed at %s',
    async (point) => {
      await withCopy(async (copy) => {
        const proposal = path.join(copy.home, 'proposal.json');
        await copy.sealane(['key', 'rotate', 'prod'], 5);
        for (const owner of ['targets-1', 'targets-2']) await copy.sealane(['trust', 'sign', proposal, '--key', owner]);
        await killAt(point, 'sealane', ['trust', 'publish', '--home', copy.home]);
        await copy.sealane(['trust', 'verify']);
        await copy.sealane(['trust', 'publish']);
        await expectSound(copy);
        // the new key signs from here on, and what was approved before goes on counting
        expect((await copy.sealane(['promote', release, '--to', 'prod'])).decision).toBe('passed');
        await expectSound(copy);
        const prod = (await copy.sealane(['key', 'list'])).keys.filter(({ names }: { names: string[] }) => names.includes('prod'));
        expect(prod).toMatchObject([{ untilIndex: null }]);
      });
    },
  );

  it.each([
    'ledger:committed',
    'trust:root-logged#1',
    'trust:root-logged#2',
    'trust:targets-written',
    'trust:root-written',
    'publish:snapshot-written',
    'publish:timestamp-written',
  ])('of another root, killed at %s, has each root in the log once', async (point) => {
    await withCopy(async (copy) => {
      await copy.sealane(['key', 'rotate', 'root-1'], 5);
      for (const owner of ['root-2', 'root-3', 'root-1.next'])
        await copy.sealane(['trust', 'sign', path.join(copy.home, 'proposal.json'), '--key', owner]);
      await killAt(point, 'sealane', ['trust', 'publish', '--home', copy.home]);
      await expectSound(copy);
      // one more owner's signature makes no other root
      await copy.sealane(['trust', 'sign', path.join(copy.home, 'proposal.json'), '--key', 'root-1']);
      await copy.sealane(['trust', 'publish']);
      await expectSound(copy);
      expect(await rootsLoggedBy(copy, 'prod')).toBe(2);
      expect((await copy.sealane(['audit', 'keys'])).answer.roots).toMatchObject([{ version: 1 }, { version: 2 }]);
    });
  });

  it.each(['trust:root-written', 'publish:snapshot-written'])(
    'of other keys of snapshot and timestamp, killed at %s, is ended by the same command, though nobody can read the lane in between',
    async (point) => {
      await withCopy(async (copy) => {
        for (const name of ['snapshot', 'timestamp']) await copy.sealane(['key', 'rotate', name], 5);
        for (const owner of ['root-1', 'root-2'])
          await copy.sealane(['trust', 'sign', path.join(copy.home, 'proposal.json'), '--key', owner]);
        await killAt(point, 'sealane', ['trust', 'publish', '--home', copy.home]);
        expect((await copy.sealane(['publish'], 4)).error.code).toBe('TRUST_THRESHOLD');
        await copy.sealane(['trust', 'publish']);
        await expectSound(copy);
        expect(await rootsLoggedBy(copy, 'prod')).toBe(2);
        expect((await copy.sealane(['promote', release, '--to', 'prod'])).decision).toBe('passed');
        await expectSound(copy);
      });
    },
  );

  it.each(['ledger:cosigned', 'trust:files-written', 'publish:timestamp-written', 'ledger:key-replaced'])(
    'of another key of the log, killed at %s',
    async (point) => {
      await withCopy(async (copy) => {
        await copy.sealane(['key', 'rotate', 'log'], 5);
        const proposal = path.join(copy.home, 'proposal.json');
        for (const owner of ['targets-1', 'targets-2']) await copy.sealane(['trust', 'sign', proposal, '--key', owner]);
        await copy.witness.stop();
        const words = ['--state', path.join(copy.dir, 'witness'), '--listen', new URL(copy.witness.url).host];
        const witness = await startServer('sealane', ['witness', 'serve', ...words, '--log', path.join(copy.home, 'log.vkey')]);
        try {
          await killAt(point, 'sealane', ['trust', 'publish', '--home', copy.home]);
          await expectSound(copy);
          await copy.sealane(['trust', 'publish']);
          expect((await copy.sealane(['promote', release, '--to', 'prod'])).decision).toBe('passed');
          await expectSound(copy);
        } finally {
          await witness.stop();
        }
      });
    },
  );
});
