/** Row B9, driver `self`, and row B8, reboot loops, on a real systemd: the updater of a package replaces itself and comes back. The tests go on from one another. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import { canBoot } from '../support/machine.js';

const [APPLY, FETCH, WORKLOAD] = [
  'sealane-site-apply.service',
  'sealane-site-fetch.service',
  'sealane-workload-harbour-7.service',
] as const;

/** Tells systemd that it is ready, and then nothing any more. */
const HANGS = `import { execFileSync } from 'node:child_process';
execFileSync('systemd-notify', ['READY=1']);
for (;;);
`;

/** With `reboots` it restarts the host as soon as it runs, as broken firmware or a driver would. */
const WORKLOAD_START = ['/bin/sh', '-c', 'test ! -f app/reboots || { sleep 1; systemctl reboot -ff; }; exec sleep 600'];

describe.skipIf(!canBoot())('B9 self and B8 on a real systemd (skipped without root, systemd-nspawn)', () => {
  let here: InstalledSite;
  let slot: string;

  /** Publishes an app, and an updater that is the package's with these files changed; its Node stays that of the package. */
  const publish = async (
    version: string,
    app: Readonly<Record<string, string>>,
    updater?: Readonly<Record<string, string>>,
  ): Promise<string> => {
    const from = path.join(here.lane.dir, 'sources', version);
    mkdirSync(path.join(from, 'app'), { recursive: true });
    for (const [name, text] of Object.entries({ version, ...app })) writeFileSync(path.join(from, 'app', name), text);
    const parts = ['--files', `app=${path.join(from, 'app')}`];
    if (updater !== undefined) {
      const library = path.join(here.machine.root, 'usr/lib/sealane-site');
      cpSync(library, path.join(from, 'updater'), { recursive: true, filter: (file) => file !== path.join(library, 'node') });
      for (const [name, text] of Object.entries(updater)) writeFileSync(path.join(from, 'updater', name), text);
      parts.push('--files', `updater=${path.join(from, 'updater')}`);
    }
    const words = ['release', 'create', '--name', 'readings', '--version', version, ...parts, '--key', 'author'];
    const { release } = (await here.lane.sealane(words)) as { readonly release: string };
    await here.lane.promote(release);
    return release;
  };
  const status = async (): Promise<Awaited<ReturnType<InstalledSite['site']>>['json']> => (await here.site('status')).json;
  const commandOf = async (unit: string): Promise<string> =>
    (await here.machine.must('sh', '-c', `tr '\\0' ' ' < /proc/${await here.show(unit, 'MainPID')}/cmdline`)).trim();

  const watchFor = (probationSeconds: number): void => {
    const driver = { unit: {}, start: WORKLOAD_START, health: [{ command: ['test', '-f', 'app/version'] }], probationSeconds };
    here.configure({ driver, self: { component: 'updater' } });
  };

  beforeAll(async () => {
    here = await installSite('trixie');
    watchFor(2);
    await publish('1.0.0', {});
    await here.machine.must('systemctl', 'enable', '--now', APPLY);
    await here.machine.until(/"version":"1.0.0"/, 'sealane-site', 'status', '--json');
  });
  afterAll(async () => {
    await here.stop();
  });

  test('B9 self: installed as a service, the updater ends for the new one, which is started by systemd and stays; fetch follows', async () => {
    const release = await publish('1.1.0', {}, { marker: 'one\n' });
    expect(await here.site('update')).toMatchObject({ exit: 5, json: { outcome: 'deferred', reason: 'UPDATER_ON_TRIAL', release } });
    await here.machine.until(/"state":"idle","current":\{[^}]*"version":"1.1.0"/, 'sealane-site', 'status', '--json');
    const { updater } = await status();
    expect(updater).toMatchObject({ runs: expect.stringMatching(/^[0-9a-f]{64}$/), onTrial: null });
    slot = updater.runs;
    expect(await here.show(WORKLOAD, 'SubState')).toBe('running');
    await here.machine.must('systemctl', 'stop', FETCH);
    await here.machine.must('sealane-site', 'mirror', 'sync');
    for (const unit of [APPLY, FETCH]) expect(await commandOf(unit), unit).toContain(`/var/lib/sealane-program/${slot}/tree/launch.mjs`);
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'unchanged' } });
    expect((await here.site('doctor')).json).toMatchObject({ ok: true });
  });

  test('B9 self: one that hangs past the watchdog is killed three times, then the old one takes the release back, unattended', async () => {
    const release = await publish('1.2.0', {}, { 'launch.mjs': HANGS });
    expect((await here.site('update')).exit).toBe(5);
    await here.machine.until(
      new RegExp(
        `"state":"idle".*"failedHere":\\[\\{"at":"[^"]*","reason":"HEALTH_FAILED","release":"${release}"|"release":"${release}","reason":"HEALTH_FAILED"`,
      ),
      'sealane-site',
      'status',
      '--json',
    );
    expect(await status()).toMatchObject({ current: { version: '1.1.0' }, updater: { runs: slot, onTrial: null } });
    const said = await here.machine.must('journalctl', '--boot', '--output=cat', '-u', APPLY);
    expect(said.match(/Failed with result 'watchdog'/g)).toHaveLength(3);
    expect(await here.show(WORKLOAD, 'SubState')).toBe('running');
  });

  test('B8 a release that restarts the host again and again is left after three boots, by itself, and not tried again', async () => {
    // it is never watched to the end, however long it takes to bring the host down
    watchFor(300);
    const release = await publish('1.3.0', { reboots: 'yes\n' });
    const asked = here.machine.run('sealane-site', 'update');
    for (let boots = 1; boots <= 3; boots += 1) await here.machine.rebooted();
    await asked;
    await here.machine.until(/"state":"idle","current":\{[^}]*"version":"1.1.0"/, 'sealane-site', 'status', '--json');
    await here.machine.until(/^running$/m, 'systemctl', 'show', WORKLOAD, '--value', '-p', 'SubState');
    expect((await status()).failedHere).toContainEqual(expect.objectContaining({ release, reason: 'HEALTH_FAILED' }));
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' } });
  });

  test('B9 self: a package that is installed later is not hidden behind what a release brought before', async () => {
    expect(await status()).toMatchObject({ updater: { runs: slot } });
    await here.machine.must('dpkg', '-i', await here.nextPackage());
    await here.machine.until(/"runs":"package"/, 'sealane-site', 'status', '--json');
    expect(await commandOf(APPLY)).toContain('/usr/lib/sealane-site/launch.mjs');
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'unchanged' } });
  });
});
