/**
 * A lane whose owners rotate keys and move thresholds, with a thief beside it who has some of the keys and every file that was ever published.
 *
 * Who signed what is kept apart from the files: an oracle judges by it and reads none of them.
 */
import { keyIdOf, type Signer, utf8 } from '@sealane/core';
import { testSigner } from './test-keys.js';
import { describeRole, publishedMetadataPath } from '../tuf/published-role.js';
import {
  describeTarget,
  publishedTargetPath,
  rootMetadata,
  type RoleKeys,
  snapshotMetadata,
  stageMetadata,
  targetsMetadata,
  timestampMetadata,
  tufExpiryAt,
} from '../tuf/publisher.js';
import { signMetadata } from '../tuf/signing.js';

export type LaneRole = 'root' | 'targets' | 'snapshot' | 'timestamp' | 'prod';
/** Roles whose keys lie on the promoter's host. */
export type OnlineRole = 'snapshot' | 'timestamp' | 'prod';

/** Who may sign a role: ids of keys, and how many. */
export interface Signers {
  readonly keys: ReadonlySet<string>;
  readonly threshold: number;
}

/** A file, and the truth about it: who signed it, whom it lets sign (`names`), which files it lists, what it says. */
export interface Doc {
  readonly role: LaneRole;
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly signedBy: ReadonlySet<string>;
  readonly expiresAt: string;
  readonly names: Readonly<Partial<Record<LaneRole, Signers>>>;
  readonly lists: Readonly<Partial<Record<LaneRole, Doc>>>;
  readonly content: string;
}

/** Files by the names that a client asks for. */
export type View = Map<string, Doc>;

export const LAST_VERSION = Number.MAX_SAFE_INTEGER;

/** Where a file lies. */
export function nameOf({ role, version }: Pick<Doc, 'role' | 'version'>): string {
  return publishedMetadataPath(role, version);
}

type Draft = Pick<Doc, 'role' | 'version' | 'expiresAt'> & Partial<Pick<Doc, 'names' | 'lists' | 'content'>>;

/** The lane: what its owners and its promoter do, and what a thief can. */
export class RotatingLane {
  /** Everything that anybody signed. */
  readonly archive: Doc[] = [];
  /** Channels by the place of the file: named by their hash, so whoever serves them serves the same. */
  readonly channels = new Map<string, Uint8Array>();
  readonly stolen: Partial<Record<OnlineRole, Signer>> = {};
  /** Roles that were stolen and not rotated since. */
  readonly owed = new Set<OnlineRole>();
  /** Keys of enough owners of targets, as they were when the thief took them. */
  private raidedOwners: readonly Signer[] = [];
  /** Ids of the keys that the thief ever had. */
  private readonly everStolen = new Set<string>();
  /** Keys that a role had before, the last ones last. */
  private readonly former: Partial<Record<LaneRole, Signer[][]>> = {};
  private readonly keys: Record<LaneRole, Signer[]> = {
    root: [testSigner(), testSigner(), testSigner()],
    targets: [testSigner(), testSigner(), testSigner()],
    snapshot: [testSigner()],
    timestamp: [testSigner()],
    prod: [testSigner()],
  };
  private readonly thresholds: Record<LaneRole, number> = { root: 2, targets: 2, snapshot: 1, timestamp: 1, prod: 1 };
  private readonly versions: Record<LaneRole, number> = { root: 0, targets: 0, snapshot: 0, timestamp: 0, prod: 0 };
  private readonly current: Partial<Record<LaneRole, Doc>> = {};

  constructor(public now: string) {}

  /** The owners' next root, signed by the owners of the one before and by its own. */
  async publishRoot(): Promise<void> {
    const before = this.rootSigners;
    this.rootSigners = this.keys.root.slice(0, this.thresholds.root);
    const [version, expiresAt] = [this.next('root'), tufExpiryAt('root', this.now)];
    const roles = {
      root: this.role('root'),
      targets: this.role('targets'),
      snapshot: this.role('snapshot'),
      timestamp: this.role('timestamp'),
    };
    const names = Object.fromEntries(Object.entries(roles).map(([role, keys]) => [role, signersOf(keys)]));
    await this.sign({ role: 'root', version, expiresAt, names }, rootMetadata({ version, expiresAt, roles }), [
      ...before,
      ...this.rootSigners,
    ]);
  }
  private rootSigners: Signer[] = [];
  private readonly retired: Signer[] = [];
  private readonly roots: Doc[] = [];

  /** The owners' targets and the stage, then snapshot and timestamp. */
  async publish(): Promise<void> {
    await this.signTargets(this.next('targets'), this.keys.targets.slice(0, this.thresholds.targets));
    await this.signStage(this.next('prod'), `release ${this.versions.prod}`, this.keys.prod);
    await this.refresh();
  }

  async refresh(): Promise<void> {
    const { targets, prod } = this.current;
    await this.signSnapshot(this.next('snapshot'), { ...(targets && { targets }), ...(prod && { prod }) }, this.keys.snapshot);
    await this.signTimestamp(this.next('timestamp'), this.current.snapshot, this.keys.timestamp);
  }

  /** Replaces keys of a role: all of them, or the one that was there longest. Roles that root names need a new root, which is published with it. */
  async rotate(role: LaneRole, how: 'all' | 'one'): Promise<void> {
    if (role === 'root') this.retired.push(...this.keys.root.slice(0, how === 'one' ? 1 : undefined));
    this.former[role] = [...(this.former[role] ?? []), this.keys[role]];
    this.keys[role] = [
      ...(how === 'one' ? this.keys[role].slice(1) : []),
      ...this.keys[role].slice(0, how === 'one' ? 1 : undefined).map(() => testSigner()),
    ];
    if (role === 'snapshot' || role === 'timestamp' || role === 'prod') this.owed.delete(role);
    if (role !== 'prod') await this.publishRoot();
  }

  /** Puts back the keys that a role had before, unless the thief has one of them: no owner should, and files of before must not stand again. */
  async putBack(role: 'targets' | 'snapshot' | 'timestamp'): Promise<void> {
    const isSafe = (keys: readonly Signer[]): boolean => keys.length >= this.thresholds[role] && !keys.some((key) => this.wasStolen(key));
    const before = (this.former[role] ?? []).findLast(isSafe);
    if (before === undefined) return;
    this.former[role] = [...(this.former[role] ?? []), this.keys[role]];
    this.keys[role] = before;
    if (role !== 'targets') this.owed.delete(role);
    await this.publishRoot();
  }

  /** Whether enough of targets' owners for a file of theirs have keys that the thief has too. */
  get ownsTargets(): boolean {
    return this.keys.targets.filter((key) => this.wasStolen(key)).length >= this.thresholds.targets;
  }

  /** Replaces one stolen key of targets in each root, until the thief has none of them. */
  async replaceOwners(): Promise<void> {
    while (this.keys.targets.some((key) => this.wasStolen(key))) {
      this.keys.targets = this.keys.targets.toSorted((a, b) => Number(this.wasStolen(b)) - Number(this.wasStolen(a)));
      await this.rotate('targets', 'one');
    }
  }

  private wasStolen({ keyId }: Signer): boolean {
    return this.everStolen.has(keyId);
  }

  /** The thief takes the keys of as many owners of targets as must sign, and signs: the stages stay whose they are. */
  async seizeTargets(version: number): Promise<void> {
    this.raidedOwners = this.keys.targets.slice(0, this.thresholds.targets);
    for (const { keyId } of this.raidedOwners) this.everStolen.add(keyId);
    await this.signTargets(version, this.raidedOwners, false);
  }

  /** Owners come and go: one more, one less, or how many of them must sign. A quorum is never less than two. */
  async changeOwners(role: 'root' | 'targets', what: 'add' | 'remove' | 'raise' | 'lower'): Promise<void> {
    const [keys, threshold] = [this.keys[role], this.thresholds[role]];
    if (what === 'add' && keys.length < 5) this.keys[role] = [...keys, testSigner()];
    if (what === 'remove' && keys.length > threshold) this.keys[role] = keys.slice(0, -1);
    if (what === 'raise' && keys.length > threshold) this.thresholds[role] += 1;
    if (what === 'lower' && threshold > 2) this.thresholds[role] -= 1;
    await this.publishRoot();
  }

  /** A root of a thief: he names himself, and signs with every owner's key that was replaced and one that was not. */
  async usurp(): Promise<void> {
    const thief = testSigner();
    const names = { keys: [thief.spki], threshold: 1 };
    const roles = { root: names, targets: names, snapshot: names, timestamp: names };
    const [version, expiresAt] = [this.versions.root + 1, tufExpiryAt('root', this.now)];
    const named = Object.fromEntries(Object.keys(roles).map((role) => [role, signersOf(names)]));
    const signers = [thief, ...this.retired, ...this.keys.root.slice(0, 1)];
    await this.sign({ role: 'root', version, expiresAt, names: named }, rootMetadata({ version, expiresAt, roles }), signers, false);
  }

  steal(role: OnlineRole): void {
    const [key] = this.keys[role];
    if (key === undefined) return;
    this.stolen[role] = key;
    this.everStolen.add(key.keyId);
    this.owed.add(role);
  }

  /** The thief signs a file of a role whose key he has, now or from before; `pick` chooses what it lists. Without a key nothing happens. */
  async forge(role: OnlineRole, version: number, pick: (role: LaneRole) => Doc): Promise<void> {
    const key = this.stolen[role];
    if (key === undefined) return;
    if (role === 'prod') await this.signStage(version, `evil ${this.archive.length}`, [key], false);
    if (role === 'snapshot') await this.signSnapshot(version, { targets: pick('targets'), prod: pick('prod') }, [key], false);
    if (role === 'timestamp') await this.signTimestamp(version, pick('snapshot'), [key], false);
  }

  /** What the promoter serves. */
  honest(): View {
    return new Map([...this.roots, ...Object.values(this.current)].map((doc) => [nameOf(doc), doc]));
  }

  latest(role: LaneRole): Doc | undefined {
    return this.current[role];
  }

  ofRole(role: LaneRole): readonly Doc[] {
    return this.archive.filter((doc) => doc.role === role);
  }

  private role(role: LaneRole): RoleKeys {
    return { keys: this.keys[role].map(({ spki }) => spki), threshold: this.thresholds[role] };
  }

  private next(role: LaneRole): number {
    return (this.versions[role] += 1);
  }

  private async signTargets(version: number, signers: readonly Signer[], isHonest = true): Promise<void> {
    const expiresAt = tufExpiryAt('targets', this.now);
    const stages = [{ stage: 'prod', ...this.role('prod') }];
    const draft = { role: 'targets', version, expiresAt, names: { prod: signersOf(this.role('prod')) } } as const;
    await this.sign(draft, targetsMetadata({ version, expiresAt, targets: [], stages }), signers, isHonest);
  }

  private async signStage(version: number, content: string, signers: readonly Signer[], isHonest = true): Promise<void> {
    const [channel, expiresAt] = [utf8(content), tufExpiryAt('stage', this.now)];
    this.channels.set(publishedTargetPath(describeTarget('channel/prod.json', channel)), channel);
    const unsigned = stageMetadata({ stage: 'prod', version, expiresAt, channel });
    await this.sign({ role: 'prod', version, expiresAt, content }, unsigned, signers, isHonest);
  }

  private async signSnapshot(version: number, lists: Doc['lists'], signers: readonly Signer[], isHonest = true): Promise<void> {
    const expiresAt = tufExpiryAt('snapshot', this.now);
    const roles = Object.values(lists).map(({ role, bytes }) => describeRole(role, bytes));
    await this.sign({ role: 'snapshot', version, expiresAt, lists }, snapshotMetadata({ version, expiresAt, roles }), signers, isHonest);
  }

  private async signTimestamp(version: number, snapshot: Doc | undefined, signers: readonly Signer[], isHonest = true): Promise<void> {
    if (snapshot === undefined) throw new RangeError('sign a timestamp: expected a snapshot');
    const expiresAt = tufExpiryAt('timestamp', this.now);
    const unsigned = timestampMetadata({ version, expiresAt, snapshot: describeRole('snapshot', snapshot.bytes) });
    await this.sign({ role: 'timestamp', version, expiresAt, lists: { snapshot } }, unsigned, signers, isHonest);
  }

  private async sign(draft: Draft, unsigned: Uint8Array, signers: readonly Signer[], isHonest = true): Promise<void> {
    const bytes = await signMetadata(unsigned, signers);
    const doc = { names: {}, lists: {}, content: '', ...draft, bytes, signedBy: new Set(signers.map(({ keyId }) => keyId)) };
    this.archive.push(doc);
    if (isHonest) this.current[draft.role] = doc;
    if (isHonest && doc.role === 'root') this.roots.push(doc);
  }
}

function signersOf({ keys, threshold }: RoleKeys): Signers {
  return { keys: new Set(keys.map((spki) => keyIdOf(spki))), threshold };
}
