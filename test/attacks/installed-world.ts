/**
 * The site of the attacks as an administrator installs it: both services in their sandboxes, in a machine with systemd. A refusal there must be seen by
 * whoever looks: in the journal of the host with its fields, and in `status` with the next command. After each attack the honest lane is offered.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS, type ErrorCode } from '@sealane/core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { FETCH_MAY_SAY } from '../../packages/site/src/fetch/may-say.js';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import type { Answer } from '../support/run.js';
import { type TestSite, versionOnDisk } from '../support/site.js';
import { LaneCopy } from './attacker.js';
import { approval, decision } from './statements.js';
import { releasesOf, type Scene, type World } from './world.js';

const [APPLY, ONCE, WORKLOAD] = ['sealane-site-apply.service', 'sealane-site.service', 'sealane-workload-harbour-7.service'] as const;

const TIMER = 'sealane-site.timer';

/** What the machine has of the site: to be put back before each attack. */
const PLACES = { state: 'var/lib/sealane-site', fetched: 'var/lib/private/sealane-fetch', config: 'etc/sealane-site' } as const;

/** A world whose site is installed. */
export interface InstalledWorld extends World {
  readonly here: InstalledSite;
  /** Offers what honest people publish: this very site takes it. */
  expectAlive(): Promise<void>;
}

/** How the site is kept up to date: by the resident service, or by one that is started for each update, as the timer does. */
export type Installed = 'resident' | 'by timer';

/** Plays attacks on the installed service, one after the other in one machine. */
export function playInstalled(how: Installed, ...all: readonly ((at: () => InstalledWorld) => void)[]): void {
  let world: InstalledWorld;
  beforeAll(async () => {
    world = await makeInstalledWorld(how);
  });
  afterEach(async () => {
    await world.expectAlive();
  });
  afterAll(async () => {
    expect(await world.here.show(APPLY, 'NRestarts'), 'how often the service ended').toBe('0');
    await world.close();
  });
  for (const attacks of all) describe(attacks.name, () => attacks(() => world));
}

async function makeInstalledWorld(how: Installed): Promise<InstalledWorld> {
  const here = await installSite();
  const { lane, machine } = here;
  const inMachine = (place: string): string => path.join(machine.root, place);
  const base = path.join(lane.dir, 'base');
  const unit = how === 'resident' ? APPLY : ONCE;
  const site = how === 'resident' ? siteIn(here) : siteByTimer(here);
  here.configure({ upstreams: ['/srv/lane'], receiptsTo: null });
  const common = await releasesOf(lane, async () => {
    offer(lane.lane);
    if (how === 'by timer') await enableTimer(here);
    else {
      await machine.must('systemctl', 'enable', '--now', APPLY);
      await machine.until(/"state":"idle".*"version":"1.0.0"/, 'sealane-site', 'status', '--json');
    }
    // of the resident service: its turn comes when the round that installed has ended
    await site.must(['update']);
    for (const [name, place] of Object.entries(PLACES)) mirror(inMachine(place), path.join(base, name));
  });
  const votes = await common.log.log([await approval(common, common.three), 'alice'], [await approval(common, common.three), 'bob']);
  const inputs = (await Promise.all([...common.evidence, ...votes].map((index) => common.log.digestOf(index)))).sort();
  const [decided = -1] = await common.log.log([decision(common, common.three, { inputs }), 'prod']);

  /** A copy of a lane in the folder that `fetch` polls. */
  function offer(from: string): LaneCopy {
    const folder = inMachine('srv/lane');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(path.dirname(folder), { recursive: true });
    return LaneCopy.of(from, folder);
  }

  /** Puts back what the site was after 1.0.0. The services go on: they keep nothing in memory. */
  async function reset(): Promise<void> {
    const runs = versionOnDisk(site.state) === '1.0.0';
    if (!runs) await site.must(['stop']);
    for (const [name, place] of Object.entries(PLACES)) mirror(path.join(base, name), inMachine(place));
    if (!runs) await site.must(['doctor', '--mend']);
    await machine.until(/^running$/m, 'systemctl', 'show', WORKLOAD, '--value', '-p', 'SubState');
  }

  async function expectAlive(): Promise<void> {
    // it took in this very attack what honest people published
    if (versionOnDisk(site.state) === '1.2.0') return;
    for (const place of ['config/site.yaml', 'state/record.json'])
      cpSync(path.join(base, place), inMachine(place.replace(/^\w+/, (name) => PLACES[name as keyof typeof PLACES])));
    const copy = offer(lane.lane);
    copy.goOnFrom(JSON.parse(readFileSync(path.join(site.state, 'trust.json'), 'utf8')));
    const channel = copy.channel();
    if (channel.groups[0]?.release === common.three) await copy.setChannel(channel);
    else await common.log.publish(copy, { release: common.three, decision: decided, entries: [...common.honest, ...votes], counter: 7 });
    const { exit, json, stderr } = await site.run(['check']);
    expect({ exit, outcome: json?.outcome, release: json?.release }, `${stderr}${JSON.stringify(json)}`).toEqual({
      exit: 0,
      outcome: 'available',
      release: common.three,
    });
  }

  /** What ran runs on; it is the same process as long as it is the release of the beginning. */
  async function expectUntouched(workload: string, more: object = {}): Promise<void> {
    const version = versionOnDisk(site.state);
    expect((await site.run(['status'])).json).toMatchObject({ current: { version }, workload: { is: 'running' }, ...more });
    if (version === '1.0.0') expect(await here.show(WORKLOAD, 'MainPID')).toBe(workload);
  }

  return {
    ...common,
    here,
    expectAlive,
    async scene(from = lane.lane): Promise<Scene> {
      await reset();
      const workload = await here.show(WORKLOAD, 'MainPID');
      const dir = mkdtempSync(inMachine('srv/scene-'));
      // for the user that fetch is
      chmodSync(dir, 0o755);
      return {
        site: { ...site, dir },
        copy: offer(from),
        mirror: inMachine(`${PLACES.fetched}/mirror`),
        refused: async (answer) => {
          await expectSeen(here, unit, answer, '4');
          const hint = ERRORS[answer.reason as ErrorCode].hint;
          await expectUntouched(workload, { refused: { code: answer.reason }, next: hint });
        },
        deferred: async (answer) => {
          await expectSeen(here, unit, answer, '5');
          // of what it lacks itself it has said so at once
          const link = FETCH_MAY_SAY.find((code) => code === answer.reason);
          await expectUntouched(workload, link === undefined ? {} : { link: { code: link }, refused: null, next: ERRORS[link].hint });
        },
      };
    },
    async close() {
      await common.log.close();
      await here.stop();
    },
  };
}

/** The outcome is in the journal, with its fields. */
async function expectSeen(
  { machine }: InstalledSite,
  unit: string,
  { site, outcome, reason, release }: Answer['json'],
  priority: string,
): Promise<void> {
  const words = ['--quiet', '--output=json', `--cursor-file=/run/attacks-${outcome}`, `SEALANE_OUTCOME=${outcome}`];
  // it is written by a process of its own
  const said = (await machine.until(/\S/, 'journalctl', ...words)).trim();
  // an attack may have been refused before in other words
  expect(JSON.parse(said.split('\n').at(-1) ?? '')).toMatchObject({
    SEALANE_SITE: site,
    SEALANE_REASON: reason,
    ...(release === null ? {} : { SEALANE_RELEASE: release }),
    MESSAGE: expect.stringContaining(reason) as string,
    PRIORITY: priority,
    OBJECT_SYSTEMD_UNIT: unit,
  });
}

/** The installed site in the words of a site in a folder. Paths are as this host sees them. */
function siteIn({ machine }: InstalledSite): TestSite {
  const inside = (word: string): string => (word.startsWith(`${machine.root}/`) ? word.slice(machine.root.length) : word);
  const run: TestSite['run'] = async (words) => {
    const ended = await machine.run('sealane-site', ...words.map(inside), '--json');
    return { ...ended, json: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) };
  };
  return {
    name: 'harbour-7',
    dir: machine.root,
    config: path.join(machine.root, PLACES.config, 'site.yaml'),
    state: path.join(machine.root, PLACES.state),
    run,
    must: mustOf(run),
    // it goes with its machine, and what it runs is put back before the next attack
    stop: () => Promise.resolve(),
  };
}

/** The timer as it is installed, but for its times: tests start what it starts, when they want it. */
async function enableTimer({ machine }: InstalledSite): Promise<void> {
  const dropIn = path.join(machine.root, 'etc/systemd/system', `${TIMER}.d`);
  mkdirSync(dropIn, { recursive: true });
  writeFileSync(path.join(dropIn, 'rarely.conf'), '[Timer]\nOnBootSec=\nOnUnitInactiveSec=\nOnBootSec=30d\nRandomizedDelaySec=0\n');
  await machine.must('systemctl', 'daemon-reload');
  await machine.must('systemctl', 'enable', '--now', TIMER);
}

function mustOf(run: TestSite['run']): TestSite['must'] {
  return async (words, exit = 0) => {
    const ended = await run(words);
    expect(ended.exit, `${words.join(' ')}: ${ended.stdout}${ended.stderr}`).toBe(exit);
    return ended.json;
  };
}

/** As `siteIn`, with nothing resident: an update is the service that the timer starts, and what came of it is read where an administrator reads it. */
function siteByTimer(here: InstalledSite): TestSite {
  const { machine, show } = here;
  const called = siteIn(here);
  const run: TestSite['run'] = async (words) => {
    if (words.join(' ') !== 'update') return await called.run(words);
    const journal = ['journalctl', '--quiet', '--output=json', '--cursor-file=/run/by-timer'];
    await machine.run(...journal);
    // tests ask more often than systemd lets one that failed be started
    await machine.run('systemctl', 'reset-failed', ONCE);
    const { stderr } = await machine.run('systemctl', 'start', ONCE);
    const exit = Number(await show(ONCE, 'ExecMainStatus'));
    await machine.must('journalctl', '--sync');
    const said = (await machine.must(...journal))
      .trim()
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    const entry = said.findLast(({ OBJECT_SYSTEMD_UNIT: unit }) => unit === ONCE);
    const { refused } = (await called.must(['status'])) as { refused: { checks: readonly object[] } | null };
    const [outcome, reason, release] = ['SEALANE_OUTCOME', 'SEALANE_REASON', 'SEALANE_RELEASE'].map((name) => entry?.[name] ?? null);
    const json = { site: 'harbour-7', outcome: outcome ?? 'unchanged', reason, release, checks: refused?.checks ?? [] };
    return { exit, signal: null, stdout: JSON.stringify(said.map(({ MESSAGE }) => MESSAGE)), stderr, json };
  };
  return { ...called, run, must: mustOf(run) };
}

/** Makes one folder what the other is. */
function mirror(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  execFileSync('rsync', ['--archive', '--delete', '--checksum', `${from}/`, to]);
}
