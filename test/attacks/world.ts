/**
 * One real lane and one real site for the attacks, and what a refusal must leave alone. Each attack gets a copy of the lane and the site as it was, so what it
 * leaves behind hurts nobody else. The same attacks are played on copies of a site by its commands, and on the service as it is installed.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Digest } from '@sealane/core';
import { afterAll, beforeAll, expect } from 'vitest';
import { type LaneOptions, makeLane, type TestLane } from '../support/lane.js';
import type { Answer } from '../support/run.js';
import { enrolSite, siteAt, type TestSite, versionOnDisk } from '../support/site.js';
import { LaneCopy } from './attacker.js';
import { evidenceOf, holdLog, honestEntries, type LogHolder } from './log-holder.js';

/** 1.0.0 runs at the site; 1.1.0 is published in prod with everything it needs; 1.2.0 has come as far as edge-preprod, without approvals. */
export interface World {
  readonly dir: string;
  readonly lane: TestLane;
  readonly log: LogHolder;
  readonly one: Digest;
  readonly two: Digest;
  readonly three: Digest;
  /** The published lane when 1.0.0 was current, and now. */
  readonly older: string;
  /** The lane as it was when 1.1.0 was: whatever attackers had promoted since is not in there. */
  readonly published: string;
  /** Provenance and test results about 1.2.0. */
  readonly evidence: readonly number[];
  /** What an honest waybill of 1.2.0 would hold but for approvals and prod's decision: whatever attackers log about it later is not in here. */
  readonly honest: readonly number[];
  /** The site as it was after 1.0.0, and an upstream of its own: a copy of `from` (default: the lane as published now). */
  scene(from?: string): Promise<Scene>;
  close(): Promise<void>;
}

/** A world whose site is a folder, acted in by the commands. */
export interface CopiedWorld extends World {
  /** The site as it was after 1.0.0, with an upstream of its own in `dir/lane`. */
  readonly base: string;
}

/** Makes it, of a lane with these options. */
export async function makeWorld(options: LaneOptions = {}): Promise<CopiedWorld> {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-attack-'));
  const lane = await makeLane(dir, options);
  const base = path.join(dir, 'base');
  const common = await releasesOf(lane, async () => {
    const site = await enrolSite(lane, base);
    expect((await site.must(['update'])).outcome).toBe('installed');
    await site.stop();
  });
  const world: CopiedWorld = {
    ...common,
    base,
    scene: (from) => Promise.resolve(setScene(world, from)),
    async close() {
      await common.log.close();
      await lane.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return world;
}

/** Plays attacks on copies of a site. */
export function playOnCommands(attacks: (at: () => World) => void): void {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld();
  });
  afterAll(async () => {
    await world.close();
  });
  attacks(() => world);
}

/** The releases of a world, promoted as far as it says. `install` is called when 1.0.0 is current. */
export async function releasesOf(lane: TestLane, install: () => Promise<void>): Promise<Omit<World, 'scene' | 'close'>> {
  const { dir } = lane;
  const one = await lane.release('1.0.0');
  await lane.promote(one);
  await install();
  const older = path.join(dir, 'older');
  cpSync(lane.lane, older, { recursive: true, verbatimSymlinks: true });
  const two = await lane.release('1.1.0');
  await lane.promote(two);
  const three = await lane.release('1.2.0');
  await lane.promote(three, 'edge-preprod');
  const published = path.join(dir, 'published');
  cpSync(lane.lane, published, { recursive: true, verbatimSymlinks: true });
  const log = await holdLog(lane);
  return {
    dir,
    lane,
    log,
    one: one as Digest,
    two: two as Digest,
    three: three as Digest,
    older,
    published,
    evidence: await evidenceOf(log, three as Digest),
    honest: await honestEntries(log, three as Digest),
  };
}

/** A site under attack, and the copy of the lane that it polls. */
export interface Scene {
  readonly site: TestSite;
  readonly copy: LaneCopy;
  /** Where the site keeps what it fetched. */
  readonly mirror: string;
  /** What more must hold at this site after it refused. */
  readonly refused?: (answer: Answer['json']) => Promise<void>;
  /** What more must hold at this site after it deferred. */
  readonly deferred?: (answer: Answer['json']) => Promise<void>;
}

/** Copies of site and lane. `from` is the lane to copy (default: as published now). */
export function setScene(world: CopiedWorld, from: string = world.lane.lane): Scene {
  const dir = mkdtempSync(path.join(world.dir, 'scene-'));
  cpSync(world.base, dir, { recursive: true, verbatimSymlinks: true });
  const copy = LaneCopy.of(from, path.join(dir, 'lane'));
  const config = path.join(dir, 'site.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replace(/^upstreams: .*$/m, `upstreams: ${JSON.stringify([copy.dir])}`));
  const site = siteAt(dir);
  return { site, copy, mirror: path.join(site.state, 'mirror') };
}

/** Everything at a site that a refusal must leave alone, or change by one receipt only. */
export interface Footprint {
  readonly version: string | undefined;
  readonly slots: readonly string[];
  readonly stored: readonly string[];
  readonly trust: TrustJson;
  readonly receipts: readonly string[];
}

interface TrustJson {
  readonly tuf: { readonly versions: Readonly<Record<string, unknown>> };
  readonly floor: unknown;
}

export function footprint({ state }: TestSite): Footprint {
  const list = (folder: string): string[] => readdirSync(path.join(state, folder)).sort();
  return {
    version: versionOnDisk(state),
    slots: list('releases'),
    stored: readdirSync(path.join(state, 'store'), { recursive: true }).map(String).sort(),
    trust: (JSON.parse(readFileSync(path.join(state, 'trust.json'), 'utf8')) as { body: TrustJson }).body,
    receipts: list('receipts').filter((name) => /^\d+\.json$/.test(name)),
  };
}

/** Runs `update` and asserts how it ends. */
export async function expectUpdate(
  site: TestSite,
  end: { readonly exit: number; readonly outcome: 'refused' | 'deferred'; readonly reason: string },
): Promise<Answer> {
  const answer = await site.run(['update']);
  expect({ exit: answer.exit, outcome: answer.json?.outcome, reason: answer.json?.reason }, answer.stderr + answer.stdout).toEqual(end);
  return answer;
}

/**
 * Runs `update` and asserts the refusal: code and exit; nothing laid down or switched; the floor as it was; trust state as it was after `TRUST_*` and
 * `LOG_*`; one receipt that says why, and no second one when the same is offered again.
 */
export async function expectRefusal({ site, refused }: Scene, code: string, exit: 3 | 4): Promise<Answer['json']> {
  const before = footprint(site);
  const answer = await expectUpdate(site, { exit, outcome: 'refused', reason: code });
  const after = footprint(site);
  expect({ version: after.version, slots: after.slots, floor: after.trust.floor }).toEqual({
    version: before.version,
    slots: before.slots,
    floor: before.trust.floor,
  });
  if (/^(?:TRUST|LOG)_/.test(code)) expect(after.trust.tuf.versions).toEqual(before.trust.tuf.versions);
  expect(after.receipts.length).toBe(before.receipts.length + 1);
  const queued = JSON.parse(readFileSync(path.join(site.state, 'receipts', after.receipts.at(-1) ?? ''), 'utf8')) as {
    dsseEnvelope: { payload: string };
  };
  const { predicate } = JSON.parse(Buffer.from(queued.dsseEnvelope.payload, 'base64').toString()) as {
    predicate: { event: string; reason: string };
  };
  expect(predicate).toMatchObject({ event: 'refused', reason: code });
  await site.run(['update']);
  expect(footprint(site).receipts).toEqual(after.receipts);
  await refused?.(answer.json);
  return answer.json;
}

/** Runs `update` and asserts that this version is installed now. */
export async function expectInstalled({ site }: Scene, version: string): Promise<void> {
  const answer = await site.run(['update']);
  expect({ exit: answer.exit, outcome: answer.json?.outcome }, answer.stderr + answer.stdout).toEqual({ exit: 0, outcome: 'installed' });
  expect(versionOnDisk(site.state)).toBe(version);
  await site.stop();
}
