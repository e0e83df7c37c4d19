/** Row B9 where the updater is sandboxed: drivers `command` and `podman` of an installed site act outside of it, as units of systemd. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import { canBoot } from '../support/machine.js';
import { busybox, ENGINE_CONF, FOREVER, publishPod } from '../support/podman.js';

const APPLY = 'sealane-site-apply.service';
const HOOKS = '/srv/hooks';

describe.skipIf(!canBoot() || busybox === undefined)(
  'B9 drivers of an installed site (skipped without root, systemd-nspawn, busybox)',
  () => {
    let here: InstalledSite;
    let dir: string;

    const inMachine = (file: string): string => path.join(here.machine.root, file);
    const said = (): string => readFileSync(inMachine(`${HOOKS}/said`), 'utf8');
    const say = (name: string, script: string): void => writeFileSync(inMachine(`${HOOKS}/${name}`), script);
    const promote = async (version: string): Promise<string> => {
      const release = await here.lane.release(version);
      await here.lane.promote(release);
      return release;
    };
    /** Updates; the answer has to be the expected one, else its last check is shown. */
    const update = async (exit: number, expected: object): Promise<void> => {
      const answer = await here.site('update');
      expect(answer, JSON.stringify(answer.json.checks?.at(-1))).toMatchObject({ exit, json: expected });
    };
    const units = (pattern: string): Promise<string> =>
      here.machine.must('systemctl', 'list-units', '--all', '--plain', '--no-legend', pattern);

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-b09-installed-'));
      here = await installSite();
      mkdirSync(inMachine(HOOKS), { recursive: true });
      say(
        'hook.sh',
        `echo "$SEALANE_HOOK $SEALANE_VERSION begins" >> ${HOOKS}/said\n. ${HOOKS}/$SEALANE_HOOK || exit\necho "$SEALANE_HOOK ends" >> ${HOOKS}/said\n`,
      );
      for (const name of ['prepare', 'start']) say(name, 'true\n');
      say(
        'start',
        `exec 3<>/dev/tcp/127.0.0.1/${new URL(here.server.url).port} && printf 'GET /trust/metadata/timestamp.json HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 >> ${HOOKS}/said\n`,
      );
      const hook = ['/bin/bash', `${HOOKS}/hook.sh`];
      here.configure({
        driver: {
          use: 'command',
          unit: {},
          prepare: hook,
          start: hook,
          stopGraceSeconds: undefined,
          health: [],
          commandSeconds: 15,
          prepareSeconds: 15,
        },
      });
      await here.machine.must('systemctl', 'enable', '--now', APPLY);
    });

    afterAll(async () => {
      await here.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    test('B9 command: a hook of a sandboxed updater reaches the network that the updater has not', async () => {
      const release = await promote('1.0.0');
      await update(0, { outcome: 'installed', release });
      expect(said()).toMatch(/start 1\.0\.0 begins\nHTTP\/1\.1 200 OK\r?\nstart ends/);
      expect(await units('sealane-{prepare,start,look}-*'), 'no unit is left').toBe('');
    });

    test('B9 command: a hook that takes too long is ended with all that it started, one that is not there defers', async () => {
      const second = await promote('1.1.0');
      say('prepare', 'exit 75\n');
      await update(5, { outcome: 'deferred', reason: 'DRIVER_NOT_READY' });
      say('prepare', 'true\n');
      say('start', 'test "$SEALANE_VERSION" = 1.0.0 || sleep 987\n');
      await update(7, { outcome: 'rolled-back', release: second });
      expect(await here.machine.must('sh', '-c', 'ps -e -o args= | grep -c "^sleep 987" || true')).toBe('0\n');
    });

    test('B9 command: a hook of an updater that was killed is ended before it is run again', async () => {
      const third = await promote('1.2.0');
      say('start', 'true\n');
      say('prepare', `echo $$ > ${HOOKS}/pid; test -e ${HOOKS}/quick || sleep 986\n`);
      const asked = here.site('update');
      await here.machine.until(/\d/, 'cat', `${HOOKS}/pid`);
      const first = readFileSync(inMachine(`${HOOKS}/pid`), 'utf8');
      say('quick', '');
      await here.machine.must('systemctl', 'kill', '--kill-who=main', '--signal=SIGKILL', APPLY);
      await asked;
      await here.machine.until(/"version":"1.2.0"/, 'sh', '-c', 'sealane-site update --json > /dev/null; sealane-site status --json');
      expect(await here.site('status')).toMatchObject({ json: { current: { release: third } } });
      expect((await here.machine.run('kill', '-0', first.trim())).exit, 'the first one is gone').not.toBe(0);
    });

    test('B9 command: what a hook handed over to lives on, and keeps no later hook from running', async () => {
      say('start', 'sleep 985 > /dev/null 2>&1 &\n');
      const handing = await promote('1.3.0');
      await update(0, { outcome: 'installed', release: handing });
      const last = await promote('1.4.0');
      await update(0, { outcome: 'installed', release: last });
      expect(await here.machine.must('sh', '-c', 'ps -e -o args= | grep -c "^sleep 985"')).toBe('2\n');
      await here.machine.must('pkill', '-f', '^sleep 985');
      await here.machine.until(/^$/, 'systemctl', 'list-units', '--all', '--plain', '--no-legend', 'sealane-start-*');
    });

    test('B9 command: what systemd ended for taking too long is ended whole, also after the updater that ran it', async () => {
      say('prepare', `test -e ${HOOKS}/fast || sleep 984\n`);
      const slow = await promote('1.5.0');
      const asked = here.site('update');
      await here.machine.until(/sleep 984/, 'ps', '-e', '-o', 'args=');
      await here.machine.must('systemctl', 'kill', '--kill-who=main', '--signal=SIGKILL', APPLY);
      await here.machine.must('systemctl', 'stop', 'sealane-site-apply.socket', APPLY);
      await here.machine.until(/failed/, 'systemctl', 'list-units', '--all', '--plain', '--no-legend', 'sealane-prepare-*');
      say('fast', '');
      await here.machine.must('systemctl', 'start', APPLY);
      await asked;
      await here.machine.until(/"version":"1.5.0"/, 'sh', '-c', 'sealane-site update --json > /dev/null; sealane-site status --json');
      expect(await here.site('status')).toMatchObject({ json: { current: { release: slow } } });
      expect(await here.machine.must('sh', '-c', 'ps -e -o args= | grep -c "^sleep 984" || true')).toBe('0\n');
    });

    test('B9 podman: pods of a sandboxed updater, pulled out of its store, outlive it and go back by themselves', async () => {
      writeFileSync(inMachine('/etc/containers/containers.conf'), ENGINE_CONF);
      // an engine makes control groups: on a host with the first version of them a container sees its own read-only
      await here.machine.must('sh', '-c', 'for each in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$each" || true; done');
      // units of Debian have used the default place already, with a driver that does not work on this file system
      const engine = ['podman', '--root', '/srv/containers', '--runroot', '/run/test-containers', '--storage-driver', 'vfs'];
      const ask = (...words: readonly string[]): Promise<string> => here.machine.must(...engine, ...words);
      const health = [{ command: [...engine, 'exec', 'readings-app', '/bin/sh', '-c', 'test -f /srv/version'], timeoutMs: 120_000 }];
      here.configure({ driver: { use: 'podman', unit: {}, engine, network: ['host'], health, startSeconds: 30, start: undefined } });
      const first = await publishPod(here.lane, dir, { version: '2.0.0', script: FOREVER });
      await update(0, { outcome: 'installed', release: first });
      const runs = (): Promise<string> => ask('exec', 'readings-app', '/bin/sh', '-c', 'read v < /srv/version; echo "$v"');
      expect(await runs()).toBe('2.0.0\n');
      await publishPod(here.lane, dir, { version: '2.1.0', script: 'exit 3' });
      await update(7, { outcome: 'rolled-back', reason: 'HEALTH_FAILED' });
      expect(await runs()).toBe('2.0.0\n');
      await here.machine.must('systemctl', 'stop', APPLY);
      expect(await runs()).toBe('2.0.0\n');
      expect(await units('sealane-{pull,play,take-down,look}-*'), 'no unit is left').toBe('');
    });
  },
);
