/** Decisions of one batch: each as if it had come alone, all of them logged, witnessed and published once. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PromoterError } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { type Promoter, withLockedPromoter } from '../promoter.js';
import { makeHome, PIPELINE, PROVENANCE, type TestHome } from '../testing/test-home.js';
import { type Answer, promoteTogether, type Wish } from './promote.js';

const GROUPS = `${PIPELINE.replace(', { use: approvals, with: { count: 1 } }', '')}groups:
  prod: [{ name: early, match: { ring: early } }, { name: rest, match: {} }]
`;

let lane: TestHome;
let releases: string[];

/** Three releases with provenance, and one without. */
async function make(pipeline?: string): Promise<void> {
  lane = await makeHome(pipeline);
  const provenance = lane.file('provenance.json', PROVENANCE);
  releases = [];
  for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.3.0']) releases.push(await lane.release(version));
  for (const release of releases.slice(0, 3))
    await lane.sealane(['evidence', 'add', release, '--provenance', provenance, '--key', 'builder']);
}

afterEach(async () => {
  await lane.stop();
});

const wish = (release: string | undefined, stage = 'dev', group?: string): Wish => ({ release: release ?? '', stage, group });

/** A batch in the home; `change` puts something else in the place of a part of it. */
async function together(
  wishes: readonly Wish[],
  { goOn = (): boolean => true, change = (promoter: Promoter): Promoter => promoter } = {},
): Promise<readonly (Answer | undefined)[]> {
  const io = {
    env: {},
    cwd: lane.dir,
    isTerminal: false,
    signal: new AbortController().signal,
    out: () => undefined,
    talk: () => undefined,
  };
  const call: CommandCall = { args: [], options: { home: lane.home }, io };
  return await withLockedPromoter(call, (promoter) => promoteTogether(change(promoter), wishes, goOn));
}

const said = (answer: Answer | undefined): unknown =>
  answer === undefined ? undefined : 'error' in answer ? (answer.error as { code?: string }).code : answer.outcome.decision;

function timestampVersion(): number {
  return JSON.parse(readFileSync(path.join(lane.home, 'lane', 'trust', 'metadata', 'timestamp.json'), 'utf8')).signed.version;
}

async function counters(stage = 'dev'): Promise<readonly unknown[]> {
  const found = [];
  for (const release of releases) {
    const { decisions } = (await lane.sealane(['audit', 'trace', release])).answer;
    found.push(...decisions.filter((each: { stage: string }) => each.stage === stage).map((each: { counter: unknown }) => each.counter));
  }
  return found;
}

const groups = async (stage: string): Promise<readonly (readonly [string, string])[]> =>
  (await lane.sealane(['channel', 'show', stage])).groups.map(({ name, release }: { name: string; release: string }) => [name, release]);

describe('promoteTogether', () => {
  beforeEach(() => make());

  it('looks up what is said about two releases as often as for one', async () => {
    const LOOK_UPS = ['releases', 'evidenceAbout', 'evidenceAboutEach', 'statementsAbout', 'decisions', 'knowsType', 'fleet'] as const;
    const lookUps = async (wishes: readonly Wish[]): Promise<readonly string[]> => {
      const asked: string[] = [];
      const counted = (promoter: Promoter): Promoter => {
        const ledger = { ...promoter.ledger };
        for (const name of LOOK_UPS) {
          const ask: (...about: never[]) => unknown = promoter.ledger[name];
          Object.assign(ledger, { [name]: (...about: never[]) => (asked.push(name), ask(...about)) });
        }
        return { ...promoter, ledger };
      };
      const answers = await together(wishes, { change: counted });
      expect(answers.map(said)).toEqual(wishes.map(() => 'passed'));
      return asked.sort();
    };
    const one = await lookUps([wish(releases[0])]);
    expect(one).toContain('evidenceAboutEach');
    expect(await lookUps([wish(releases[1]), wish(releases[2])])).toEqual(one);
  });

  it('answers each by itself, and publishes once', async () => {
    const [a, b, c, bare] = releases;
    const before = timestampVersion();
    const answers = await together([wish(a), wish('sha256:' + '0'.repeat(64)), wish(bare), wish(b, 'nowhere'), wish(b), wish(c)]);
    expect(answers.map(said)).toEqual(['passed', 'RELEASE_UNKNOWN', 'refused', 'STAGE_UNKNOWN', 'passed', 'passed']);
    expect(timestampVersion()).toBe(before + 1);
    expect(await counters()).toEqual([1, 2, 3, null]);
    const channel = await lane.sealane(['channel', 'show', 'dev']);
    expect(channel.groups).toMatchObject([{ release: c, counter: 3 }]);
    expect((await lane.sealane(['audit', 'verify'])).answer).toMatchObject({ ok: true, problems: [] });
    // what the channel keeps can be gone back to: its waybill is there
    await lane.sealane(['channel', 'rollback', 'dev', '--to', b ?? '', '--reason', 'slow']);
  });

  it('of a question that is asked twice makes one decision', async () => {
    const [first, again] = await together([wish(releases[0]), wish('api@1.0.0')]);
    expect(first).toMatchObject({ outcome: { decision: 'passed', published: true } });
    expect(again).toEqual(first);
    expect(await counters()).toEqual([1]);
  });

  it('leaves a second question about a release for the next batch, and what comes after "enough"', async () => {
    const [a, b] = releases;
    expect((await together([wish(a), wish(a, 'prod'), wish(b)])).map(said)).toEqual(['passed', undefined, 'passed']);
    expect((await together([wish(a, 'prod'), wish(releases[2])], { goOn: () => false })).map(said)).toEqual(['pending', undefined]);
  });

  it('fails one alone that cannot be signed', async () => {
    rmSync(path.join(lane.home, 'keys', 'prod.pem'));
    const [a, b] = releases;
    expect((await together([wish(a, 'prod'), wish(b)])).map(said)).toEqual(['KEY_NOT_NAMED', 'passed']);
    expect(await groups('dev')).toEqual([['all', b]]);
  });

  it('fails one alone whose evidence cannot be read', async () => {
    const [a, b, c] = releases;
    const gone = new PromoterError('STATEMENT_UNKNOWN', 'read an envelope: expected it, it is gone');
    const rotten = (promoter: Promoter): Promoter => {
      const { evidenceAboutEach, evidenceAbout } = promoter.ledger;
      const ledger: Promoter['ledger'] = {
        ...promoter.ledger,
        evidenceAboutEach: (asked) => (asked.some((each) => each === b) ? Promise.reject(gone) : evidenceAboutEach(asked)),
        evidenceAbout: (asked) => (asked === b ? Promise.reject(gone) : evidenceAbout(asked)),
      };
      return { ...promoter, ledger };
    };
    const answers = await together([wish(a), wish(b), wish(c)], { change: rotten });
    expect(answers.map(said)).toEqual(['passed', 'STATEMENT_UNKNOWN', 'passed']);
    expect(await counters()).toEqual([1, 2]);
  });

  it('logs one by one what cannot be logged together, with the counters of the log', async () => {
    const [a, b, c] = releases;
    const refusing = (promoter: Promoter): Promoter => ({
      ...promoter,
      ledger: {
        ...promoter.ledger,
        append: (entries) => (entries.length > 1 ? Promise.reject(new Error('too much')) : promoter.ledger.append(entries)),
      },
    });
    expect((await together([wish(a), wish(b), wish(c)], { change: refusing })).map(said)).toEqual(['passed', 'passed', 'passed']);
    expect(await counters()).toEqual([1, 2, 3]);
  });

  it('of an older decision that is resumed beside a newer one leaves the newer one in place', async () => {
    const [a, b] = releases;
    const unwitnessed = (promoter: Promoter): Promoter => ({ ...promoter, post: () => Promise.reject(new Error('away')) });
    expect(await together([wish(a)], { change: unwitnessed })).toMatchObject([{ outcome: { decision: 'passed', published: false } }]);
    const both = await together([wish(b), wish(a)]);
    expect(both).toMatchObject([{ outcome: { published: true } }, { outcome: { published: true } }]);
    expect(await counters()).toEqual([1, 2]);
    expect(await groups('dev')).toEqual([['all', b]]);
  });
});

describe('promoteTogether into a stage that asks for ways back', () => {
  beforeEach(() => make(PIPELINE.replace('use: approvals, with: { count: 1 }', 'use: rollback-rehearsed, with: { withinSeconds: 600 }')));

  it('takes one question of that stage: the next one has to find its way back to it', async () => {
    const [a, b] = releases;
    expect((await together([wish(a, 'prod'), wish(b, 'prod'), wish(b)])).map(said)).toEqual(['refused', undefined, 'passed']);
  });
});

describe('promoteTogether with groups', () => {
  beforeEach(() => make(GROUPS));

  it('of a decision that is asked again leaves alone the group that has gone on', async () => {
    const [a, b] = releases;
    await together([wish(a), wish(b)]);
    await together([wish(a, 'prod')]);
    await together([wish(b, 'prod', 'early')]);
    await together([wish(a, 'prod')]);
    expect(await groups('prod')).toEqual([
      ['early', b],
      ['rest', a],
    ]);
  });
});
