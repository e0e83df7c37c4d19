/** B11: the package of the site in a machine with a real systemd, as an administrator installs it. The tests go on from one another. */
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canBoot } from '../support/machine.js';
import { installSite, type InstalledSite } from '../support/installed-site.js';

const [APPLY, FETCH, MIRROR, WORKLOAD] = [
  'sealane-site-apply.service',
  'sealane-site-fetch.service',
  'sealane-site-mirror.service',
  'sealane-workload-harbour-7.service',
] as const;
const STATE = '/var/lib/sealane-site';

describe.skipIf(!canBoot())('B11 the service on a real systemd (skipped without root, debootstrap, systemd-nspawn)', () => {
  let here: InstalledSite;
  const releases: Record<string, string> = {};

  /** Makes a release and promotes it to prod. */
  const promote = async (version: string, files: Readonly<Record<string, string>> = {}): Promise<string> => {
    const release = await here.lane.release(version, files);
    await here.lane.promote(release);
    return (releases[version] = release);
  };
  const current = async (): Promise<unknown> => (await here.site('status')).json.current?.version;
  const versionIn = (): string => readFileSync(path.join(here.machine.root, readCurrent(), 'app/srv/version'), 'utf8').trim();
  const readCurrent = (): string => path.join(STATE, readlinkSync(path.join(here.machine.root, STATE, 'current')));
  const journal = (): Promise<string> => here.machine.must('journalctl', '--boot', '--output=short-monotonic', '-u', APPLY, '-u', WORKLOAD);
  const mainPid = (unit: string): Promise<string> => here.show(unit, 'MainPID');

  beforeAll(async () => {
    here = await installSite();
    await promote('1.0.0');
  });
  afterAll(async () => {
    await here.stop();
  });

  it('B11 installing enables nothing; once enabled it tells systemd that it is ready, and installs', async () => {
    const { machine } = here;
    expect((await machine.run('systemctl', 'is-enabled', APPLY, 'sealane-site.timer', 'sealane-site-apply.socket')).stdout).not.toContain(
      'enabled',
    );
    await machine.must('systemctl', 'enable', '--now', APPLY);
    expect(await here.show(APPLY, 'Type')).toBe('notify');
    expect(await here.show(APPLY, 'SubState')).toBe('running');
    await machine.until(/"version":"1.0.0"/, 'sealane-site', 'status', '--json');
    expect(versionIn()).toBe('1.0.0');
    await machine.until(/"receiptsQueued":0/, 'sealane-site', 'status', '--json');
    // what fetch measured in its sandbox came through apply into the receipt
    const { answer } = await here.lane.sealane(['audit', 'parity', 'harbour-7']);
    expect(answer.link).toMatchObject({ release: releases['1.0.0'], measured: [{ over: 'http', unanswered: 0 }] });
  });

  it('B11 the workload runs as a unit and a user of its own, outside of the updater’s sandbox', async () => {
    expect(await here.show(WORKLOAD, 'SubState')).toBe('running');
    const [pid, updater] = [await mainPid(WORKLOAD), await mainPid(APPLY)];
    const inspect = (of: string, what: string): Promise<string> => here.machine.must('sh', '-c', what.replaceAll('PID', of));
    expect(await inspect(pid, 'stat -c %U /proc/PID')).toBe('daemon\n');
    // none of its memory, where keys are, is left on a disk
    expect(await inspect(updater, 'grep core /proc/PID/limits')).toMatch(/ 1 +1 +bytes/);
    expect(await inspect(pid, 'cat /proc/PID/environ')).not.toMatch(/NOTIFY_SOCKET|CREDENTIALS_DIRECTORY|LISTEN_FDS/);
    expect(await inspect(pid, 'readlink /proc/PID/ns/net')).toBe(await inspect('1', 'readlink /proc/PID/ns/net'));
    expect(await inspect(updater, 'readlink /proc/PID/ns/net')).not.toBe(await inspect('1', 'readlink /proc/PID/ns/net'));
    expect((await inspect(updater, 'tail -n +3 /proc/PID/net/dev')).trim()).toMatch(/^lo:.*$/);
  });

  it('B11 outcomes are in the journal with fields, as entries of the service', async () => {
    const said = await here.machine.until(/\S/, 'journalctl', '--quiet', '--output=json', '-u', APPLY, 'SEALANE_OUTCOME=installed');
    const [line = ''] = said.split('\n');
    expect(JSON.parse(line)).toMatchObject({
      MESSAGE_ID: '0b7a6e9b6f0f4d6f9a6de5a1c6b8f102',
      PRIORITY: '5',
      SYSLOG_IDENTIFIER: 'sealane-site',
      SEALANE_SITE: 'harbour-7',
      SEALANE_RELEASE: releases['1.0.0'],
      OBJECT_SYSTEMD_UNIT: APPLY,
    });
  });

  it('B11 fetch cannot read the key, write trust state or ask for a verb: tried as its user in its namespace', async () => {
    await here.machine.must('sealane-site', 'mirror', 'sync');
    const pid = await mainPid(FETCH);
    const [uid = '', gid = ''] = (await here.machine.must('stat', '-c', '%u %g', `/proc/${pid}`)).trim().split(' ');
    expect(Number(uid)).toBeGreaterThan(60_000);
    const asFetch = (...words: readonly string[]): ReturnType<InstalledSite['machine']['run']> =>
      here.machine.run('nsenter', '-t', pid, '-m', '-n', `--setuid=${uid}`, `--setgid=${gid}`, '--', ...words);
    expect((await asFetch('cat', '/var/lib/sealane-fetch/mirror/trust/metadata/timestamp.json')).exit).toBe(0);
    for (const words of [
      ['cat', `${STATE}/site.pem`],
      ['ls', STATE],
      ['sh', '-c', `echo '{}' > ${STATE}/trust.json`],
      ['sh', '-c', `echo x >> ${STATE}/journal`],
      ['cat', '/etc/sealane-site/site.yaml'],
      ['sh', '-c', 'echo x > /usr/lib/sealane-site/launch.mjs'],
      ['env', 'SEALANE_SERVICE=/run/sealane-site/operators.sock', 'sealane-site', 'status'],
      ['env', 'SEALANE_FETCH=/run/sealane-site/fetch.sock', 'sealane-site', 'fetch', '--listen', '/run/sealane-site/other.sock'],
    ])
      expect((await asFetch(...words)).exit, words.join(' ')).not.toBe(0);
    expect((await here.site('doctor')).json).toMatchObject({ ok: true });
  });

  it('B2 the packaged mirror serves what is installed once it is started; it sees no key of the site and writes nothing', async () => {
    const { machine, lane } = here;
    expect((await machine.run('systemctl', 'is-enabled', MIRROR)).stdout).toContain('disabled');
    await machine.must('systemctl', 'start', MIRROR);
    const { components } = await lane.sealane(['release', 'show', releases['1.0.0'] ?? '']);
    const url = `http://127.0.0.1:5080/v2/edge/readings/manifests/${components[0].digest}`;
    const ask = `fetch(${JSON.stringify(url)}).then((answer) => console.log(answer.status))`;
    await machine.until(/^200$/m, '/usr/lib/sealane-site/node', '-e', ask);
    const pid = await mainPid(MIRROR);
    const inside = (...words: readonly string[]): ReturnType<InstalledSite['machine']['run']> =>
      machine.run('nsenter', '-t', pid, '-m', '--', ...words);
    expect((await machine.run('cat', `${STATE}/site.pem`)).stdout).toContain('PRIVATE KEY');
    expect((await inside('cat', `${STATE}/site.pem`)).stdout).toBe('');
    expect((await inside('cat', `${STATE}/sealing.key`)).stdout).toBe('');
    for (const file of ['journal', 'trust.json', 'store/index.json'])
      expect((await inside('sh', '-c', `echo x >> ${STATE}/${file}`)).exit, file).not.toBe(0);
    expect(await machine.must('grep', 'CapEff', `/proc/${pid}/status`)).toMatch(/\t0+\n$/);
    await machine.must('systemctl', 'stop', MIRROR);
  });

  const as = (user: string, ...words: readonly string[]): ReturnType<InstalledSite['machine']['run']> =>
    here.machine.run('setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', '--', ...words);

  it('B11 operators are root and the group of the socket, and nobody else; of the site’s files they have none', async () => {
    const { machine } = here;
    await machine.must('useradd', '--groups', 'sealane-site', 'crew');
    await machine.must('useradd', 'guest');
    expect((await as('crew', 'sealane-site', 'hold', '--reason', 'crane works')).exit).toBe(0);
    expect(await here.site('status')).toMatchObject({ json: { state: 'held' } });
    expect((await as('crew', 'sealane-site', 'unhold')).exit).toBe(0);
    expect((await as('crew', 'cat', `${STATE}/site.pem`)).exit).not.toBe(0);
    expect(await as('guest', 'sealane-site', 'status')).toMatchObject({ exit: 6, stderr: expect.stringContaining('UPDATER_UNREACHABLE') });
  });

  it('B14 technicians have a socket and a group of their own, on which they may do less', async () => {
    await here.machine.must('useradd', '--groups', 'sealane-technician', 'technician');
    expect((await as('technician', 'sealane-site', 'hold', '--reason', 'crane works')).exit).toBe(0);
    expect((await as('technician', 'sealane-site', 'unhold')).exit).toBe(0);
    expect(await as('technician', 'sealane-site', 'stop')).toMatchObject({ exit: 3, stderr: expect.stringContaining('ROLE_DENIED') });
    const onOperators = ['sealane-site', 'stop', '--service', '/run/sealane-site/operators.sock'];
    expect(await as('technician', ...onOperators)).toMatchObject({ exit: 6, stderr: expect.stringContaining('UPDATER_UNREACHABLE') });
    expect((await as('technician', 'cat', `${STATE}/site.pem`)).exit).not.toBe(0);
    expect(await here.show(WORKLOAD, 'SubState')).toBe('running');
  });

  it('B11 a whole update, one that fails its health and is rolled back, and a rollback by hand', async () => {
    const second = await promote('1.1.0');
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'installed', release: second } });
    await promote('1.2.0', { 'srv/sick': 'yes\n' });
    expect(await here.site('update')).toMatchObject({ exit: 7, json: { outcome: 'rolled-back', reason: 'HEALTH_FAILED' } });
    expect(versionIn()).toBe('1.1.0');
    expect(await here.site('rollback')).toMatchObject({ exit: 0, json: { outcome: 'installed', release: releases['1.0.0'] } });
    expect({ version: versionIn(), workload: await here.show(WORKLOAD, 'SubState') }).toEqual({ version: '1.0.0', workload: 'running' });
    await here.machine.until(/HEALTH_FAILED/, 'journalctl', '--output=cat', '--priority=err', 'SEALANE_OUTCOME=rolled-back');
  });

  it('B11 stopped and started again; the workload does not notice', async () => {
    const workload = await mainPid(WORKLOAD);
    await here.machine.must('systemctl', 'stop', APPLY);
    expect(await here.show(APPLY, 'Result')).toBe('success');
    expect(await mainPid(WORKLOAD)).toBe(workload);
    await here.machine.must('systemctl', 'start', APPLY);
    expect(await current()).toBe('1.0.0');
    expect(await mainPid(WORKLOAD)).toBe(workload);
  });

  it('B11 one that hangs is killed by the watchdog and comes back; what was asked of fetch meanwhile is answered by the next', async () => {
    for (const unit of [APPLY, FETCH]) {
      await here.machine.must('sealane-site', 'mirror', 'sync');
      const pid = await mainPid(unit);
      await here.machine.must('sh', '-c', `kill -STOP ${pid}`);
      if (unit === FETCH) expect((await here.site('mirror', 'sync')).exit).toBe(0);
      await here.machine.until(/Failed with result 'watchdog'/, 'journalctl', '-u', unit, '--output=cat');
    }
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'unchanged' } });
  });

  it('B11 one that the kernel kills for memory comes back with its state', async () => {
    const pid = await mainPid(APPLY);
    outOfMemory(here.machine.hostPid(pid));
    await here.machine.must('sh', '-c', 'sealane-site update || true');
    await here.machine.until(/^running$/m, 'systemctl', 'show', APPLY, '--value', '-p', 'SubState');
    expect(await mainPid(APPLY)).not.toBe(pid);
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'unchanged' } });
    expect((await here.site('doctor')).json).toMatchObject({ ok: true });
  });

  it('B11 after a reboot what was committed runs again', async () => {
    await here.machine.reboot('orderly');
    await here.machine.until(/^running$/m, 'systemctl', 'show', WORKLOAD, '--value', '-p', 'SubState');
    expect(await here.site('status')).toMatchObject({
      json: { state: 'idle', current: { version: '1.0.0' }, workload: { is: 'running' } },
    });
  });

  it('B11 the host is restarted in good order while a release is watched: its end is not held against it, and it stays after the boot', async () => {
    const release = await promote('1.2.1');
    // systemd stops it before the updater hears of the shutdown, and it takes its time
    const driver = {
      unit: { properties: ['User=daemon', `After=${APPLY}`] },
      start: ['/bin/sh', '-c', 'trap "sleep 3; exit" TERM; sleep 600 & wait'],
      stopGraceSeconds: 10,
    };
    here.configure({ driver: { ...driver, probationSeconds: 600 } });
    const asked = here.machine.run('sealane-site', 'update');
    await here.machine.until(/"state":"probation"/, 'sealane-site', 'status', '--json');
    here.configure({ driver });
    await here.machine.reboot('orderly');
    await asked;
    await here.machine.until(/"state":"idle"/, 'sealane-site', 'status', '--json');
    const { json } = await here.site('status');
    expect(json, await journal()).toMatchObject({ current: { version: '1.2.1', release } });
    expect(json.failedHere).not.toContainEqual(expect.objectContaining({ release }));
    here.configure({});
  });

  it.each([
    ['staged', '1.3.0', '1.3.0'],
    ['probation', '1.4.0', '1.4.0'],
    ['rolling-back', '1.5.0', '1.4.0'],
  ])('B11 the power is cut while it is %s: it comes back by itself', async (point, version, runs) => {
    await promote(version, version === '1.5.0' ? { 'srv/sick': 'yes\n' } : {});
    await freezeAt(here, point);
    const asked = here.machine.run('sealane-site', 'update');
    await here.machine.until(/^T/m, 'sh', '-c', `ps -o stat= -p $(systemctl show ${APPLY} --value -p MainPID)`);
    await here.machine.reboot('power-cut');
    await asked;
    await here.machine.until(/"state":"idle"/, 'sealane-site', 'status', '--json');
    await here.machine.until(/^running$/m, 'systemctl', 'show', WORKLOAD, '--value', '-p', 'SubState');
    expect({ current: await current(), disk: versionIn() }, await journal()).toEqual({ current: runs, disk: runs });
    expect((await here.site('doctor')).json).toMatchObject({ ok: true });
  });

  it('B11 the key of the site is sealed to the host and reaches apply alone', async () => {
    const { machine } = here;
    await machine.must('mkdir', '-p', '-m', '0700', '/etc/credstore.encrypted');
    for (const key of ['site.pem', 'sealing.key']) {
      await machine.must('systemd-creds', 'encrypt', `--name=${key}`, `${STATE}/${key}`, `/etc/credstore.encrypted/${key}`);
      await machine.must('rm', `${STATE}/${key}`);
    }
    await machine.must('systemctl', 'restart', APPLY);
    await promote('1.6.0');
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'installed' } });
    await machine.until(/"receiptsQueued":0/, 'sealane-site', 'status', '--json');
    expect(readFileSync(path.join(machine.root, 'etc/credstore.encrypted/site.pem'), 'utf8')).not.toContain('PRIVATE KEY');
  });

  it('B11 an upgrade restarts the updater and leaves the workload alone', async () => {
    const [workload, updater] = [await mainPid(WORKLOAD), await mainPid(APPLY)];
    await here.machine.must('dpkg', '-i', await here.nextPackage());
    expect(await mainPid(WORKLOAD)).toBe(workload);
    expect(await mainPid(APPLY)).not.toBe(updater);
    expect(await current()).toBe('1.6.0');
  });

  it('B11 with the timer nothing is resident: each update starts what it needs, and both end', async () => {
    const { machine } = here;
    await machine.must(
      'systemctl',
      'disable',
      '--now',
      APPLY,
      'sealane-site-apply.socket',
      'sealane-site-technicians.socket',
      'sealane-site-fetch.socket',
    );
    await promote('1.7.0');
    await machine.must('systemctl', 'enable', '--now', 'sealane-site.timer');
    await machine.must('systemctl', 'start', 'sealane-site.service');
    expect(versionIn()).toBe('1.7.0');
    await machine.must('systemctl', 'stop', 'sealane-site.timer');
    await machine.until(/^inactive$/m, 'sh', '-c', `systemctl is-active ${FETCH} || true`);
    expect((await machine.must('sh', '-c', 'ps -e -o args= | grep sealane-site | grep -v grep || true')).trim()).toBe('');
    expect(await here.show(WORKLOAD, 'SubState')).toBe('running');
  });

  it('B11 removed, an update that is on its way ends and the workload goes on; purged, nothing is left, sealed or open', async () => {
    const { machine } = here;
    const [update, lasting] = ['sealane-site.service', '[Service]\\nType=exec\\nExecStart=\\nExecStart=/bin/sleep 600\\n'];
    await machine.must(
      'sh',
      '-c',
      `mkdir /run/systemd/system/${update}.d && printf '${lasting}' > /run/systemd/system/${update}.d/long.conf`,
    );
    await machine.must('systemctl', 'daemon-reload');
    await machine.must('systemctl', 'start', update);
    await machine.must('dpkg', '--remove', 'sealane-site');
    expect(await here.show(update, 'ActiveState')).toBe('inactive');
    expect(await here.show(WORKLOAD, 'SubState')).toBe('running');
    await machine.must('test', '-d', '/run/sealane-site-apply');
    // as drivers note what an engine runs for them, and what it was told
    await machine.must('sh', '-c', `mkdir -p ${STATE}/run/engine-config && touch ${STATE}/run/podman.json`);
    const said = await machine.must('sh', '-c', 'dpkg --purge sealane-site 2>&1');
    expect(said).toContain('what driver podman started runs on');
    expect(said).toContain('*.before-sealane');
    expect(said).not.toContain('quadlet');
    expect(await here.show(WORKLOAD, 'ActiveState')).toBe('inactive');
    for (const place of [STATE, '/var/lib/private/sealane-fetch', '/etc/sealane-site', '/usr/lib/sealane-site', '/usr/bin/sealane-site'])
      expect(existsSync(path.join(machine.root, place)), place).toBe(false);
    // what lies in the memory of the machine is not seen from here
    expect(
      await machine.must('find', '/run', '/etc/credstore.encrypted', '-maxdepth', '1', '-name', '*sea*', '-o', '-name', 'site.pem'),
    ).toBe('');
  });
});

/** Stops the service for good at a point of its next update, until the power is cut: what lies in /run is gone then. */
async function freezeAt({ machine }: InstalledSite, point: string): Promise<void> {
  const freeze = `
    import { subscribe } from 'node:diagnostics_channel';
    subscribe('sealane:point', ({ name }) => name === 'update:${point}' && process.kill(process.pid, 'SIGSTOP'));`;
  const drop = `[Service]\\nEnvironment=NODE_OPTIONS=--import=/run/freeze.mjs\\nWatchdogSec=0\\n`;
  await machine.must('sh', '-c', `cat > /run/freeze.mjs <<'END'\n${freeze}\nEND`);
  await machine.must(
    'sh',
    '-c',
    `mkdir -p /run/systemd/system/${APPLY}.d && printf '${drop}' > /run/systemd/system/${APPLY}.d/freeze.conf`,
  );
  await machine.must('systemctl', 'daemon-reload');
  await machine.must('systemctl', 'restart', APPLY);
}

/** Lets the kernel's own OOM killer end a process: a memory group of its own, with less than it needs. */
function outOfMemory(pid: string): void {
  const root = existsSync('/sys/fs/cgroup/memory') ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
  const group = path.join(root, `sealane-oom-${pid}`);
  mkdirSync(group);
  const limit = ['memory.max', 'memory.limit_in_bytes'].find((name) => existsSync(path.join(group, name)));
  if (limit === undefined) throw new Error(`limit memory in ${group}: expected a memory controller`);
  writeFileSync(path.join(group, limit), '1048576');
  writeFileSync(path.join(group, 'cgroup.procs'), pid);
  process.once('exit', () => rmdirSync(group));
}
