/** Keys that are stolen and rotated, thresholds that move, and a thief who mixes files of all times, at random: the client beside an oracle. */
import { fromUtf8, TrustError } from '@sealane/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Doc, LAST_VERSION, type LaneRole, nameOf, type OnlineRole, RotatingLane, type View } from '../testing/rotating-lane.js';
import { RotationOracle } from '../testing/rotation-oracle.js';
import { secondsToTime, timeToSeconds } from '../time.js';
import { readTarget, refreshTrust, type TufRead } from './client.js';
import { trustFromRoot } from './root-chain.js';
import type { TufState } from './state.js';

const DAY_0 = '2026-03-01T00:00:00Z';
/** Another seed tells other stories. */
const SEED = 20261129;
const RUNS = 40;

type Step =
  | { readonly do: 'rotate'; readonly role: LaneRole; readonly how: 'all' | 'one' }
  | {
      readonly do: 'owners';
      readonly role: 'root' | 'targets';
      readonly what: 'add' | 'remove' | 'raise' | 'lower';
      readonly raided: number | null;
    }
  | { readonly do: 'publish' | 'refresh' | 'recover' | 'poll' | 'usurp' }
  | { readonly do: 'steal'; readonly role: OnlineRole }
  | { readonly do: 'seize'; readonly version: 'last' | 'next' }
  | { readonly do: 'put back'; readonly role: 'targets' | 'snapshot' | 'timestamp'; readonly raided: number | null }
  | { readonly do: 'forge'; readonly role: OnlineRole; readonly version: 'last' | 'next' | 'first'; readonly picks: readonly number[] }
  | { readonly do: 'raid'; readonly roles: readonly OnlineRole[]; readonly version: 'last' | 'next'; readonly older: number | null }
  | { readonly do: 'attack'; readonly roots: number; readonly timestamp: number; readonly others: number; readonly isCoherent: boolean }
  | { readonly do: 'wait'; readonly hours: number };

const online = fc.constantFrom<OnlineRole>('snapshot', 'timestamp', 'prod');
const number = fc.nat(10_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('rotate' as const),
      role: fc.constantFrom<LaneRole>('root', 'targets', 'snapshot', 'timestamp', 'prod'),
      how: fc.constantFrom('all' as const, 'one' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('owners' as const),
      role: fc.constantFrom('root' as const, 'targets' as const),
      what: fc.constantFrom('add' as const, 'remove' as const, 'remove' as const, 'raise' as const, 'lower' as const),
      raided: fc.option(number, { freq: 2 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('publish' as const, 'refresh' as const, 'poll' as const, 'poll' as const, 'recover' as const, 'usurp' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('steal' as const), role: online }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('seize' as const),
      version: fc.constantFrom('last' as const, 'last' as const, 'next' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('put back' as const),
      role: fc.constantFrom('targets' as const, 'snapshot' as const, 'timestamp' as const),
      raided: fc.option(number),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('forge' as const),
      role: online,
      version: fc.constantFrom('last' as const, 'next' as const, 'first' as const),
      picks: fc.array(number, { minLength: 3, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('raid' as const),
      roles: fc.constantFrom<readonly OnlineRole[]>(['timestamp'], ['snapshot', 'timestamp'], ['prod', 'snapshot', 'timestamp']),
      version: fc.constantFrom('last' as const, 'next' as const),
      older: fc.option(number),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('attack' as const),
      roots: fc.nat(3),
      timestamp: number,
      others: number,
      isCoherent: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.constantFrom(1, 24, 100, 200) }) },
);

/** One of three owners leaves, and what the others signed before stands: that floor must too. */
const OWNER_LEAVES: Step[] = [{ do: 'poll' }, { do: 'poll' }, { do: 'owners', role: 'targets', what: 'remove', raided: 0 }];

/** Two owners of targets lose their keys and are replaced one after the other: what the thief drove to the end must fall. */
const OWNERS_REPLACED: Step[] = [{ do: 'poll' }, { do: 'seize', version: 'last' }];
/** The thief has the newest keys of the promoter, and offers policies of before where the snapshot's key was replaced. */
const POLICY_BACK: Step[] = [
  { do: 'poll' },
  { do: 'poll' },
  { do: 'rotate', role: 'snapshot', how: 'all' },
  { do: 'raid', roles: ['snapshot', 'timestamp'], version: 'next', older: 0 },
];
/** Owners of before come back, and with them what they signed: policies of before these must stay refused. */
const OWNERS_BACK: Step[] = [
  { do: 'poll' },
  { do: 'poll' },
  { do: 'rotate', role: 'targets', how: 'all' },
  { do: 'poll' },
  { do: 'put back', role: 'targets', raided: 0 },
];

/** How often each thing happened: a model that never gets anywhere proves nothing. */
const counts = { taken: 0, refused: 0, rollbacks: 0, recovered: 0, evil: 0, seized: 0 };

it('takes nothing that the oracle forbids, and recovers whenever the owners have rotated what was stolen', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
      const walk = await Walk.begin();
      for (const each of steps) await walk.go(each);
      await walk.go({ do: 'recover' });
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true, examples: [[OWNER_LEAVES], [OWNERS_REPLACED], [POLICY_BACK], [OWNERS_BACK]] },
  );
  expect(
    Object.values(counts).every((count) => count > 10),
    JSON.stringify(counts),
  ).toBe(true);
}, 120_000);

class Walk {
  private constructor(
    private readonly lane: RotatingLane,
    private readonly oracle: RotationOracle,
    private state: TufState,
  ) {}

  static async begin(): Promise<Walk> {
    const lane = new RotatingLane(DAY_0);
    await lane.publishRoot();
    await lane.publish();
    const [root] = lane.ofRole('root');
    if (root === undefined) throw new RangeError('begin a walk: expected a root');
    return new Walk(lane, new RotationOracle(root), trustFromRoot(root.bytes));
  }

  async go(step: Step): Promise<void> {
    const { lane } = this;
    if (step.do === 'rotate') await lane.rotate(step.role, step.how);
    if (step.do === 'owners') {
      await lane.changeOwners(step.role, step.what);
      // a floor that fell too early is open until the next honest look
      if (step.raided !== null) await this.raid({ do: 'raid', roles: ['snapshot', 'timestamp'], version: 'last', older: step.raided });
    }
    if (step.do === 'put back') {
      await lane.putBack(step.role);
      if (step.raided !== null) await this.raid({ do: 'raid', roles: ['snapshot', 'timestamp'], version: 'next', older: step.raided });
    }
    if (step.do === 'seize') {
      await lane.seizeTargets(this.versionOf('targets', step.version));
      await this.raid({ do: 'raid', roles: ['snapshot', 'timestamp'], version: 'next', older: lane.ofRole('targets').length - 1 });
    }
    if (step.do === 'publish') await lane.publish();
    if (step.do === 'refresh') await lane.refresh();
    if (step.do === 'steal') lane.steal(step.role);
    if (step.do === 'wait') lane.now = secondsToTime(timeToSeconds(lane.now) + step.hours * 3600);
    if (step.do === 'forge') await lane.forge(step.role, this.versionOf(step.role, step.version), (role) => this.pick(role, step.picks));
    if (step.do === 'usurp') {
      await lane.usurp();
      this.offer(put(lane.honest(), lane.archive.at(-1)));
    }
    if (step.do === 'raid') await this.raid(step);
    if (step.do === 'attack') this.offer(this.mixed(step));
    if (step.do === 'poll') await this.poll();
    if (step.do === 'recover') {
      const hadThief = lane.owed.size > 0;
      await lane.replaceOwners();
      for (const role of [...lane.owed]) await lane.rotate(role, 'all');
      await this.poll();
      if (hadThief) counts.recovered += 1;
    }
  }

  /** The promoter publishes, and nobody is between. */
  private async poll(): Promise<void> {
    await this.lane.publish();
    this.offer(this.lane.honest());
    await this.lane.refresh();
    const content = this.offer(this.lane.honest());
    if (this.lane.owed.size === 0 && !this.lane.ownsTargets) expect(content).toBe(this.lane.latest('prod')?.content);
  }

  /** The thief takes keys and puts the newest of his files on top of the promoter's. */
  private async raid({ roles, version, older }: Extract<Step, { do: 'raid' }>): Promise<void> {
    const { lane } = this;
    const view = lane.honest();
    for (const role of roles) {
      lane.steal(role);
      const chosen = (wanted: LaneRole): Doc =>
        older !== null && wanted !== 'prod' && !roles.some((each) => each === wanted)
          ? this.pick(wanted, [older])
          : ([...view.values()].filter((doc) => doc.role === wanted).at(-1) ?? this.pick(wanted, [0]));
      await lane.forge(role, this.versionOf(role, version), chosen);
      const forged = lane.archive.at(-1);
      if (forged !== undefined) view.delete(nameOf(forged));
      put(view, forged);
      for (const listed of listedIn(forged)) put(view, listed);
    }
    this.offer(view);
  }

  /** The site looks; what it takes is held against the oracle, and what it refuses too. */
  private offer(view: View): string | undefined {
    const { lane, oracle } = this;
    const judged = oracle.judge(view, lane.now);
    const read: TufRead = (name) => view.get(name)?.bytes ?? lane.channels.get(name);
    try {
      const trusted = refreshTrust({ state: this.state, read, now: lane.now, expiry: 'network' });
      const content = fromUtf8(readTarget({ trusted, read, path: 'channel/prod.json', role: 'prod' }).bytes);
      expect(judged).toMatchObject({ content });
      judged.take?.();
      this.state = trusted.state;
      counts.taken += 1;
      if (content.startsWith('evil')) counts.evil += 1;
      if (trusted.targets.version === LAST_VERSION) counts.seized += 1;
      expect(trusted.state.versions.root).toBe(oracle.root.version);
      return content;
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      // a stage's floor may hold longer than what set it stands, never shorter: else both refuse
      const isOfStage = error.code === 'TRUST_ROLLBACK' && error.data['role'] === 'prod';
      if (!isOfStage) expect(judged, error.message).toHaveProperty('refused');
      // what is to be kept of a refusal
      this.state = error.data['state'] as TufState;
      counts[error.code === 'TRUST_ROLLBACK' ? 'rollbacks' : 'refused'] += 1;
      expect(this.state.versions.root).toBe(oracle.root.version);
      return undefined;
    }
  }

  /** Files of all times under the newest roots but some; `isCoherent`: those that the timestamp lists. */
  private mixed({ roots, timestamp, others, isCoherent }: Extract<Step, { do: 'attack' }>): View {
    const { archive } = this.lane;
    const view: View = new Map();
    for (let at = 0; at < archive.length; at += 1) put(view, archive[(at + others) % archive.length]);
    const newest = this.lane.latest('root')?.version ?? 0;
    for (let version = newest; version > newest - roots; version -= 1) view.delete(nameOf({ role: 'root', version }));
    const stamp = this.pick('timestamp', [timestamp]);
    put(view, stamp);
    if (!isCoherent) return view;
    for (const doc of listedIn(stamp)) put(view, doc);
    return view;
  }

  private pick(role: LaneRole, picks: readonly number[]): Doc {
    const docs = this.lane.ofRole(role);
    const doc = docs[(picks[role.length % picks.length] ?? 0) % docs.length];
    if (doc === undefined) throw new RangeError(`pick a file of ${role}: expected one`);
    return doc;
  }

  private versionOf(role: OnlineRole | 'targets', version: 'last' | 'next' | 'first'): number {
    return { last: LAST_VERSION, next: (this.lane.latest(role)?.version ?? 0) + 1, first: 1 }[version];
  }
}

/** What a file lists, and what that lists. */
function listedIn(doc: Doc | undefined): readonly Doc[] {
  return Object.values(doc?.lists ?? {}).flatMap((listed) => [listed, ...listedIn(listed)]);
}

function put(view: View, doc: Doc | undefined): View {
  return doc === undefined ? view : view.set(nameOf(doc), doc);
}
