/** Rows B9, B18 and B19 on a booted machine with a Podman that has quadlet: units of a release, their secrets, what somebody changes of them; and systemd credentials of a plain unit. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import { canBoot } from '../support/machine.js';
import { busybox, ENGINE_CONF, FOREVER } from '../support/podman.js';
import { publishUnits, type QuadletRelease } from '../support/quadlet.js';
import { commandLinesWith, filesWith, newValue, seal, shownAs } from '../support/secrets.js';

const APPLY = 'sealane-site-apply.service';
const UNITS = '/run/containers/systemd/sealane-harbour-7';
const SECRET = { secrets: ['db-password'], container: ['Secret=db-password'] };

describe.skipIf(!canBoot() || busybox === undefined)(
  'B9 driver quadlet (skipped without root, systemd-nspawn, busybox)',
  { timeout: 600_000 },
  () => {
    let here: InstalledSite;
    let dir: string;

    const publish = (release: QuadletRelease): Promise<string> => publishUnits(here.lane, dir, release);
    const inside = async (script: string): Promise<string> =>
      (await here.machine.must('podman', 'exec', 'readings', '/bin/sh', '-c', script)).trim();
    const runs = (): Promise<string> => inside('read v < /srv/version; echo "$v $SEALANE_VERSION"');
    /** Updates; the answer has to be the expected one, else its last check is shown. */
    const update = async (exit: number, expected: object): Promise<void> => {
      const answer = await here.site('update');
      expect(answer, JSON.stringify(answer.json?.checks?.at(-1) ?? answer.stderr)).toMatchObject({ exit, json: expected });
    };
    const configure = (driver: object): void =>
      here.configure({ driver: { use: 'quadlet', unit: {}, start: undefined, health: [], startSeconds: 30, ...driver } });
    /** Files of the machine with a value in them: on its disk, and in its memory those that are the value, if none has it in it otherwise. */
    const filesOf = async (value: string): Promise<readonly string[]> => {
      const onDisk = ['etc', 'var/lib', 'var/log', 'root', 'srv'].flatMap((name) => filesWith(path.join(here.machine.root, name), value));
      const inMemory = (command: string): Promise<string> =>
        here.machine.must('sh', '-c', `find /run -type f -size -1024k -exec ${command} {} + 2> /dev/null || true`);
      const sums = (await inMemory('sha256sum')).split('\n').filter((line) => line.startsWith(shownAs(value)));
      expect((await inMemory('cat')).split(value)).toHaveLength(sums.length + 1);
      return [...onDisk, ...sums.map((line) => line.slice(66))].sort();
    };

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-b09-quadlet-'));
      here = await installSite('trixie');
      const write = (file: string, text: string): void => writeFileSync(path.join(here.machine.root, file), text);
      write('etc/containers/containers.conf', ENGINE_CONF);
      write(
        'etc/containers/storage.conf',
        '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/srv/containers"\n',
      );
      // an engine makes control groups: on a host with the first version of them a container sees its own read-only
      await here.machine.must('sh', '-c', 'for each in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$each" || true; done');
      configure({ engineConfig: '/etc/containers' });
      await here.machine.must('systemctl', 'enable', '--now', APPLY);
    }, 600_000);

    afterAll(async () => {
      await here.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    test('B9 quadlet: units of a release become services of the host, and go back as a set when one does not come up', async () => {
      const volume = { 'data.volume': '[Volume]\nLabel=of=readings\n' };
      const first = await publish({ version: '1.0.0', script: FOREVER, container: ['Volume=data.volume:/data'], units: volume });
      await update(0, { outcome: 'installed', release: first });
      expect(await runs()).toBe('1.0.0 1.0.0');
      expect(await here.show('data-volume.service', 'ActiveState')).toBe('active');
      const second = await publish({ version: '1.1.0', script: FOREVER });
      await update(0, { outcome: 'installed', release: second, previous: first });
      expect([await runs(), await here.show('data-volume.service', 'LoadState')]).toEqual(['1.1.0 1.1.0', 'not-found']);
      await publish({ version: '1.2.0', script: 'exit 3' });
      await update(7, { outcome: 'rolled-back', reason: 'HEALTH_FAILED' });
      expect(await runs()).toBe('1.1.0 1.1.0');
      await here.machine.must('systemctl', 'stop', APPLY);
      expect(await runs(), 'it outlives the updater').toBe('1.1.0 1.1.0');
      await here.machine.must('systemctl', 'start', APPLY);
    });

    test('B9 quadlet: what would run a command of the host, or take a service of it, is refused before anything is touched', async () => {
      const cases: readonly (readonly [Partial<QuadletRelease>, string])[] = [
        [{ service: ['ExecStartPre=/bin/true'] }, 'ExecStartPre='],
        [{ units: { 'dbus.container': '[Container]\nImage=IMAGE\n' } }, 'dbus.service'],
        [{ container: ['Volume=ledger:/ledger'] }, 'name a volume ledger'],
        [{ units: { 'other.container': '[Container]\nContainerName=stranger\nImage=IMAGE\nNetwork=none\n' } }, 'name a container stranger'],
      ];
      await here.machine.must('podman', 'volume', 'create', 'ledger');
      const image = (await here.machine.must('podman', 'inspect', '--format', '{{.ImageName}}', 'readings')).trim();
      const stranger = await here.machine.must('podman', 'create', '--name', 'stranger', '--network', 'none', image);
      for (const [at, [release, said]] of cases.entries()) {
        await publish({ version: `2.${at}.0`, script: FOREVER, ...release });
        const { exit, json } = await here.site('update');
        expect([exit, json.reason, json.checks?.at(-1).actual]).toEqual([4, 'DRIVER_REFUSED', expect.stringContaining(said)]);
      }
      expect(await runs()).toBe('1.1.0 1.1.0');
      expect(await here.machine.must('podman', 'ps', '--all', '--no-trunc', '--quiet', '--filter', 'name=stranger')).toBe(stranger);
      await here.machine.must('podman', 'rm', 'stranger');
    });

    test('B19 quadlet: a secret is a file in the container and nowhere in the engine; a new one starts it anew, a bad one gives way', async () => {
      const [value, second, bad] = [newValue(), newValue(), newValue('bad')];
      const script = `case "$(cat /run/secrets/db-password)" in bad*) exit 1;; esac; ${FOREVER}`;
      const release = await publish({ version: '3.0.0', script, ...SECRET });
      const shown = (): Promise<string> => inside('stat -c %a /run/secrets/db-password; sha256sum < /run/secrets/db-password');
      const open = '/run/sealane-site-apply/credentials';
      await seal(here.lane, value, ['--site', 'harbour-7']);
      expect(await commandLinesWith(value, () => update(0, { outcome: 'installed', release }))).toEqual([]);
      expect(await shown()).toBe(`444\n${shownAs(value)}  -`);
      expect(await filesOf(value)).toEqual([`${open}/.volumes/0/db-password`, `${open}/db-password`]);
      expect(await here.machine.must('sh', '-c', 'podman inspect readings; journalctl --no-pager')).not.toContain(value);
      await seal(here.lane, second, ['--site', 'harbour-7']);
      await update(0, { outcome: 'installed', release });
      expect([await shown(), await filesOf(value)]).toEqual([`444\n${shownAs(second)}  -`, []]);
      await seal(here.lane, bad, ['--site', 'harbour-7']);
      await update(7, { outcome: 'rolled-back', reason: 'HEALTH_FAILED' });
      expect(await shown()).toBe(`444\n${shownAs(second)}  -`);
    });

    test('B18 quadlet: a unit that somebody edits and a container beside it are reported; with strays: stop the unit is put back, the container stopped', async () => {
      const strays = async (): Promise<unknown> =>
        (await here.site('status')).json.strays
          .map(({ what, did }: { what: string; did: string }) => `${what.replace(/\(.*/, '')}: ${did}`)
          .sort();
      expect(await strays()).toEqual([]);
      await here.machine.must(
        'sh',
        '-c',
        `sed -i 's/^ContainerName=.*/&\\nLabel=edited=yes/' ${UNITS}/readings.container; systemctl daemon-reload; systemctl restart readings`,
      );
      const image = (await here.machine.must('podman', 'inspect', '--format', '{{.ImageName}}', 'readings')).trim();
      await here.machine.must('podman', 'run', '--detach', '--name', 'by-hand', '--network', 'none', image, '-c', FOREVER);
      await here.site('update');
      expect(await strays()).toEqual(['container by-hand : reported', 'unit readings.service: reported']);
      configure({ engineConfig: '/etc/containers', strays: 'stop' });
      await here.machine.must('systemctl', 'restart', APPLY);
      await here.site('update');
      await here.site('update');
      expect(await here.machine.must('podman', 'inspect', '--format', '{{.Config.Labels}}', 'readings')).not.toContain('edited');
      expect(await here.machine.must('podman', 'ps', '--format', '{{.Names}}')).toBe('readings\n');
      expect((await here.site('doctor')).json).toMatchObject({ ok: true });
    });

    test('B18 quadlet: doctor names a folder of the engine that the sandbox does not let the updater write to, and what lets it', async () => {
      const [folder, dropIn] = ['/opt/engine', `/etc/systemd/system/${APPLY}.d/engine.conf`];
      const configCheck = async (): Promise<unknown> =>
        (await here.site('doctor')).json.checks.find(({ id }: { readonly id: string }) => id === 'engine-config');
      configure({ engineConfig: folder, strays: 'stop' });
      await here.machine.must('systemctl', 'restart', APPLY);
      const remedy = `let the updater write there (owner and mode; ReadWritePaths=${folder} for sealane-site-apply), then: sealane-site update`;
      expect(await configCheck()).toMatchObject({ verdict: 'fail', code: 'STATE_UNWRITABLE', remedy });
      await here.machine.must('mkdir', '-p', folder, path.dirname(dropIn));
      writeFileSync(path.join(here.machine.root, dropIn), `[Service]\nReadWritePaths=${folder}\n`);
      await here.machine.must('sh', '-c', `systemctl daemon-reload; systemctl restart ${APPLY}`);
      await update(0, { outcome: 'unchanged' });
      expect(await configCheck()).toMatchObject({ verdict: 'pass' });
    });

    test('B9 quadlet: after a power cut the release runs again with its secret; a stop leaves nothing of it', async () => {
      await here.machine.reboot('power-cut');
      await here.machine.must('sh', '-c', 'for each in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$each" || true; done');
      await here.machine.until(
        /^3\.0\.0/m,
        'sh',
        '-c',
        'sealane-site update > /dev/null; podman exec readings /bin/sh -c "cat /srv/version"',
      );
      expect((await here.site('stop')).exit).toBe(0);
      expect(await here.machine.must('sh', '-c', `find /run/containers/systemd /run/sealane-site-apply; podman ps --quiet`)).toBe(
        '/run/containers/systemd\n/run/sealane-site-apply\n/run/sealane-site-apply/environments\n',
      );
    });

    test('B19 files: a plain unit finds its secret where systemd lays it down, for its user alone', async () => {
      const value = newValue();
      await seal(here.lane, value, ['--site', 'harbour-7']);
      const show = 'id -un; sha256sum < "$CREDENTIALS_DIRECTORY/db-password"; echo "$CREDENTIALS_DIRECTORY"; exec sleep 600';
      here.configure({ driver: { start: ['/bin/sh', '-c', show], health: [], unit: { properties: ['User=daemon'] } } });
      await here.machine.must('systemctl', 'restart', APPLY);
      await publish({ version: '4.0.0', script: FOREVER, ...SECRET });
      await update(0, { outcome: 'installed' });
      const unit = 'sealane-workload-harbour-7.service';
      const log = await here.machine.must('tail', '-n', '3', '/var/lib/sealane-site/logs/workload.log');
      expect(log).toBe(`daemon\n${shownAs(value)}  -\n/run/credentials/${unit}\n`);
      expect((await here.machine.run('runuser', '-u', 'nobody', '--', 'cat', `/run/credentials/${unit}/db-password`)).exit).not.toBe(0);
      expect(await filesOf(value)).toEqual([`/run/credentials/${unit}/db-password`, '/run/sealane-site-apply/credentials/db-password']);
      expect((await here.site('stop')).exit).toBe(0);
      expect(await filesOf(value)).toEqual([]);
    });
  },
);
