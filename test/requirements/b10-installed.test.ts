/**
 * B10 and B5 on the service as it is installed: a machine behind one link, which is cut; no resolver, no time source, clocks that are wrong. What comes, comes on
 * sticks that are plugged in while the services run. The tests go on from one another.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clockAhead } from '../support/clock.js';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import { canLink, type End, end, type Link, plug } from '../support/link.js';
import { canBoot } from '../support/machine.js';
import { commandWords, type Server, startListening } from '../support/run.js';
import { versionOnDisk } from '../support/site.js';

const [APPLY, FETCH, WORKLOAD] = [
  'sealane-site-apply.service',
  'sealane-site-fetch.service',
  'sealane-workload-harbour-7.service',
] as const;
const [STATE, FETCHED, STICK] = ['var/lib/sealane-site', 'var/lib/private/sealane-fetch', '/media/stick'] as const;

/** How far the clocks of the two services are off. */
const CLOCKS = { right: 0, in1970: -Date.now(), in2099: Date.parse('2099-01-01T00:00:00Z') - Date.now() } as const;

describe.skipIf(!canBoot() || !canLink())('B10 the installed service, cut off (skipped without root, systemd-nspawn, links)', () => {
  let here: InstalledSite;
  let [machineEnd, center]: End[] = [];
  let wan: Link;
  let central: Server;
  let media = 0;
  const releases: Record<string, string> = {};

  const inMachine = (place: string): string => path.join(here.machine.root, place);
  const version = (): string | undefined => versionOnDisk(inMachine(STATE));
  const status = async (): Promise<object> => (await here.site('status')).json;
  const publish = async (name: string, files: Readonly<Record<string, string>> = {}): Promise<string> => {
    const release = await here.lane.release(name, files);
    await here.lane.promote(release);
    return (releases[name] = release);
  };

  /** Exports a medium and plugs it in as a file system of its own, as udev or a person would. */
  async function plugIn(): Promise<void> {
    const out = path.join(here.lane.dir, `medium-${(media += 1)}`);
    await here.lane.sealane(['media', 'export', '--stage', 'prod', '--out', out]);
    await here.machine.must('mkdir', '-p', STICK);
    await here.machine.must('mount', '-t', 'tmpfs', 'stick', STICK);
    // what is mounted in the machine is not seen from here
    cpSync(out, inMachine('srv/carried'), { recursive: true });
    await here.machine.must('cp', '-r', '/srv/carried/.', STICK);
    rmSync(inMachine('srv/carried'), { recursive: true });
  }
  const pullOut = (): Promise<string> => here.machine.must('umount', STICK);
  async function importMedium(): Promise<Awaited<ReturnType<InstalledSite['site']>>> {
    await plugIn();
    const imported = await here.site('media', 'import', STICK);
    await pullOut();
    return imported;
  }

  /** Sets the clocks of both services, and has them start by these. */
  async function setClock(clock: keyof typeof CLOCKS): Promise<void> {
    const [, module = ''] = clockAhead(CLOCKS[clock]).node ?? [];
    writeFileSync(inMachine('etc/clock.mjs'), decodeURIComponent(module.replace('data:text/javascript,', '')));
    for (const unit of [APPLY, FETCH]) {
      mkdirSync(inMachine(`etc/systemd/system/${unit}.d`), { recursive: true });
      writeFileSync(inMachine(`etc/systemd/system/${unit}.d/clock.conf`), '[Service]\nEnvironment=NODE_OPTIONS=--import=/etc/clock.mjs\n');
    }
    await here.machine.must('systemctl', 'daemon-reload');
    await here.machine.must('systemctl', 'stop', FETCH);
    await here.machine.must('systemctl', 'restart', APPLY);
  }

  beforeAll(async () => {
    [machineEnd, center] = [await end('10.78.0.1'), await end('10.78.1.1')];
    wan = plug('wan', machineEnd, center);
    here = await installSite(undefined, undefined, machineEnd);
    rmSync(inMachine('etc/resolv.conf'), { force: true });
    const serve = commandWords('sealane', ['serve', '--listen', `${center.address}:0`, '--home', here.lane.home]);
    const [enter, ...words] = center.enter;
    central = await startListening(enter, [...words, process.execPath, ...serve]);
    here.configure({ upstreams: [central.url], receiptsTo: central.url });
    await publish('1.0.0');
    await here.machine.must('systemctl', 'enable', '--now', APPLY);
    await here.machine.until(/"state":"idle".*"version":"1.0.0".*"receiptsQueued":0/, 'sealane-site', 'status', '--json');
    await publish('1.1.0');
    await here.machine.must('sealane-site', 'mirror', 'sync');
    wan.cut();
  });
  afterAll(async () => {
    await central.stop();
    await here.stop();
    for (const side of [machineEnd, center]) side?.stop();
  });

  test('B10 there is no link, no resolver, and nobody who tells the time', async () => {
    expect((await here.machine.run('sh', '-c', 'cat /proc/net/route')).stdout.trim().split('\n')).toHaveLength(1);
    expect(existsSync(inMachine('etc/resolv.conf'))).toBe(false);
    expect((await here.machine.run('systemctl', 'is-active', 'systemd-timesyncd')).exit).not.toBe(0);
  });

  test('B10 by a clock in 1970 what was mirrored deploys, and after a power cut it runs again', async () => {
    await setClock('in1970');
    // its first round comes with its start
    await here.machine.until(/"state":"idle".*"version":"1.1.0"/, 'sealane-site', 'status', '--json');
    expect(await here.site('update')).toMatchObject({ exit: 6, json: { outcome: 'deferred', reason: 'FETCH_FAILED' } });
    await here.machine.reboot('power-cut');
    await here.machine.until(/^running$/m, 'systemctl', 'show', WORKLOAD, '--value', '-p', 'SubState');
    expect(await status()).toMatchObject({ state: 'idle', current: { version: '1.1.0' }, workload: { is: 'running' }, receiptsQueued: 1 });
  });

  test('B5 B10 a stick that is plugged in while the services run is imported; what fails its health is rolled back, what is good stays', async () => {
    await publish('1.2.0', { 'srv/sick': 'yes\n' });
    expect(await importMedium()).toMatchObject({ exit: 0, json: { reason: null } });
    expect(version()).toBe('1.1.0');
    const bad = await here.site('update');
    expect(bad).toMatchObject({ exit: 7, json: { outcome: 'rolled-back', reason: 'HEALTH_FAILED', release: releases['1.2.0'] } });
    expect(version()).toBe('1.1.0');
    await publish('1.3.0');
    expect(await importMedium()).toMatchObject({ exit: 0 });
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'installed', release: releases['1.3.0'] } });
    expect(await here.site('rollback')).toMatchObject({ exit: 0, json: { outcome: 'installed', release: releases['1.1.0'] } });
    expect(await status()).toMatchObject({ receiptsQueued: 4, workload: { is: 'running' } });
  });

  test('B5 a path where no medium is, and one that the services may not see, is said as that', async () => {
    const refused = async (place: string): Promise<string> => {
      const { exit, json } = await here.site('media', 'import', place);
      expect({ exit, code: json.error.code }, JSON.stringify(json)).toEqual({ exit: 2, code: 'USAGE' });
      return json.error.hint;
    };
    expect(await refused(STICK)).toContain('that the medium is mounted there');
    // units hide them from the service
    for (const place of ['/root/stick', '/tmp/stick']) expect(await refused(place)).toContain('mount it at /mnt');
  });

  test('B10 by a clock in 2099 trust has expired: no medium brings anything new, what runs goes on, operators act', async () => {
    await setClock('in2099');
    await publish('1.4.0');
    const imported = await importMedium();
    expect({ exit: imported.exit, code: imported.json.error?.code }, JSON.stringify(imported)).toEqual({ exit: 4, code: 'TRUST_EXPIRED' });
    const { outcome } = (await here.site('update')).json as { outcome: string };
    expect({ outcome, version: version() }).toEqual({ outcome: 'deferred', version: '1.1.0' });
    expect((await here.site('stop')).exit).toBe(0);
    expect(await here.site('start')).toMatchObject({ exit: 0, json: { workload: { is: 'running' } } });
    expect((await here.site('hold', '--reason', 'nobody is here')).exit).toBe(0);
    expect((await here.site('unhold')).exit).toBe(0);
  });

  test('B10 with the link back receipts arrive in order and exactly once, also those that a courier took before', async () => {
    await setClock('right');
    await here.machine.must('sealane-site', 'receipt', 'export', '/srv/courier');
    const carried = readdirSync(inMachine('srv/courier')).map((name) => path.join(inMachine('srv/courier'), name));
    await here.lane.sealane(['statement', 'add', ...carried.slice(0, 2)]);
    wan.mend();
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'installed', release: releases['1.4.0'] } });
    await here.machine.until(/"receiptsQueued":0/, 'sealane-site', 'status', '--json');
    await here.lane.sealane(['publish']);
    const { answer, complete } = await here.lane.sealane(['audit', 'at', 'harbour-7']);
    const events = (answer.history as { seq: number; event: string }[]).map(({ seq, event }) => [seq, event]);
    expect(events).toEqual([
      [1, 'installed'],
      [2, 'installed'],
      [3, 'rolled-back'],
      [4, 'installed'],
      [5, 'rollback'],
      [6, 'installed'],
    ]);
    expect({ missing: answer.missing, doubts: answer.doubts, complete }).toEqual({ missing: [], doubts: [], complete: true });
  });

  test('B22 a stick brings the end of the site: workload, releases, mirror and key are gone, and the service says so', async () => {
    wan.cut();
    await here.lane.sealane(['site', 'retire', 'harbour-7', '--reason', 'the quay is closed', '--key', 'registrar']);
    expect(await importMedium()).toMatchObject({ exit: 0 });
    expect(await here.site('update')).toMatchObject({ exit: 3, json: { outcome: 'refused', reason: 'SITE_RETIRED' } });
    expect(readdirSync(inMachine(STATE)).sort()).toEqual(['journal', 'receipts', 'trust.json']);
    // how its links were is all that is left of the mirror
    expect(readdirSync(inMachine(FETCHED), { recursive: true }).sort()).toEqual(['mirror', 'mirror/routes.json']);
    expect(await here.show(WORKLOAD, 'ActiveState')).toBe('inactive');
    expect(await status()).toMatchObject({ state: 'retired', retired: 'the quay is closed', receiptsQueued: 1 });
    expect(readFileSync(inMachine(`${STATE}/journal`), 'utf8')).not.toContain('PRIVATE');
  });
});
