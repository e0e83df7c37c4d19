/** A24: the promoter service as its unit starts it, on a real systemd: with the rights that the unit leaves it, it decides, signs and publishes, and has no others. The tests go on from one another. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { bootMachine, canBoot, type Machine } from '../support/machine.js';
import { ROOT } from '../support/run.js';
import { api, type ApiAnswer, GITHUB_CLAIMS, type Issuer, serviceYaml, startIssuer } from '../support/service.js';

const UNIT = 'sealane-promoter.service';
const HOME = '/var/lib/sealane';

/** What is no part of the bundled programs. */
const NATIVE = ['better-sqlite3', 'bindings', 'file-uri-to-path', 'pkcs11js'];

describe.skipIf(!canBoot())('A24 the promoter as a unit (skipped without root, systemd-nspawn)', () => {
  let dir: string;
  let lane: TestLane;
  let github: Issuer;
  let machine: Machine;
  let release: string;

  const show = async (property: string): Promise<string> =>
    (await machine.must('systemctl', 'show', UNIT, '--value', '-p', property)).trim();

  /** Where it listens, as it says itself when it starts: its first words since then. */
  async function listening(): Promise<{ readonly url: string }> {
    const words = ['journalctl', '--output=cat', `_SYSTEMD_INVOCATION_ID=${await show('InvocationID')}`];
    const [, url = ''] = /"url":"(http[^"]+)"/.exec(await machine.until(/"url":"http/, ...words)) ?? [];
    return { url };
  }
  const promote = async (): Promise<ApiAnswer> =>
    await api(await listening(), `POST /api/v1/releases/${release}/promotions`, { token: await github.token(), body: { to: 'dev' } });

  /** Tries something as the service: its user, its namespaces, and no more rights than it has. */
  const asService = async (script: string): Promise<number | null> => {
    const [uid, gid] = (await machine.must('id', '-u', 'sealane'))
      .trim()
      .split(/\s/)
      .concat((await machine.must('id', '-g', 'sealane')).trim());
    const enter = [
      'nsenter',
      '-t',
      await show('MainPID'),
      '-m',
      '-n',
      '--',
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
    ];
    return (await machine.run(...enter, '--bounding-set=-all', '--no-new-privs', '/bin/sh', '-c', script)).exit;
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-a24-unit-'));
    [lane, github] = await Promise.all([makeLane(dir), startIssuer(dir, 'github', GITHUB_CLAIMS)]);
    release = await lane.release('1.0.0');
    await lane.evidence(release);
    writeFileSync(path.join(lane.home, 'service.yaml'), serviceYaml({ github }));
    machine = await bootMachine();
    const at = (place: string): string => path.join(machine.root, place);
    cpSync(process.execPath, at('usr/bin/node'));
    for (const part of ['bin', 'dist', 'package.json', ...NATIVE.map((name) => `node_modules/${name}`)])
      cpSync(path.join(ROOT, part), at(`opt/sealane/${part}`), { recursive: true, dereference: true });
    mkdirSync(at('etc/systemd/system'), { recursive: true });
    const unit = readFileSync(path.join(ROOT, 'pipelines', 'systemd', UNIT), 'utf8');
    // the machine has the network of this host, where others may listen
    writeFileSync(at(`etc/systemd/system/${UNIT}`), unit.replace('--listen 127.0.0.1:8790', '--listen 127.0.0.1:0'));
    await machine.must('useradd', '--system', 'sealane');
    cpSync(lane.home, at(HOME), { recursive: true });
    await machine.must('chown', '-R', 'sealane:sealane', HOME);
    await machine.must('systemctl', 'daemon-reload');
  });
  afterAll(async () => {
    await machine.stop();
    await Promise.all([lane.stop(), github.stop()]);
    rmSync(dir, { recursive: true, force: true });
  });

  test('A24 enabled, it starts, answers, and is what systemd itself calls well sealed', async () => {
    await machine.must('systemctl', 'enable', '--now', UNIT);
    expect((await api(await listening(), 'GET /healthz')).status).toBe(200);
    expect(await show('SubState')).toBe('running');
    await machine.must('systemd-analyze', 'security', '--threshold=20', UNIT);
    const state = await machine.must('cat', `/proc/${await show('MainPID')}/status`);
    expect(state).toMatch(/^CapEff:\s+0+$/m);
    expect(state).toMatch(/^CapBnd:\s+0+$/m);
    expect(state).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(state).toMatch(/^Seccomp:\s+2$/m);
  });

  test('A24 in its sandbox it judges, signs, logs, is witnessed and publishes', async () => {
    const { exit, json } = await promote();
    expect({ exit, decision: json.decision }, JSON.stringify(json)).toEqual({ exit: '0', decision: 'passed' });
    const shown = await machine.must(
      'setpriv',
      '--reuid=sealane',
      '--regid=sealane',
      '--clear-groups',
      '--',
      '/usr/bin/node',
      '/opt/sealane/bin/sealane.mjs',
      'channel',
      'show',
      'dev',
      '--home',
      HOME,
      '--json',
    );
    expect(JSON.parse(shown).groups).toMatchObject([{ release }]);
  });

  test('A24 what it is has no file but its home, and starts no program from there', async () => {
    for (const place of [HOME, '/tmp']) expect(await asService(`cp /bin/true ${place}/tried`), place).toBe(0);
    for (const script of [
      'touch /opt/sealane/bin/tried',
      'touch /etc/tried',
      'touch /var/lib/tried',
      'cat /etc/shadow',
      'ls /root',
      'ls /home',
      ...[HOME, '/tmp', '/var/tmp', '/dev/shm'].map((place) => `cp /bin/true ${place}/tried && ${place}/tried`),
      'cat /dev/mem',
      'mount -t tmpfs none /mnt',
    ])
      expect(await asService(script), script).not.toBe(0);
    await asService(`rm ${HOME}/tried`);
  });

  test('A24 killed, it is started again and the same question has the same decision', async () => {
    const { json } = await promote();
    const before = await show('MainPID');
    await machine.must('systemctl', 'kill', '--signal=SIGKILL', UNIT);
    await machine.until(new RegExp(`^(?!0$|${before}$)\\d+$`, 'm'), 'systemctl', 'show', UNIT, '--value', '-p', 'MainPID');
    const again = await promote();
    expect({ exit: again.exit, statement: again.json.statement }).toEqual({ exit: '0', statement: json.statement });
  });

  test('A24 asked to stop, it ends well; after a reboot it is there', async () => {
    await machine.must('systemctl', 'stop', UNIT);
    expect(await show('Result')).toBe('success');
    await machine.reboot('orderly');
    await machine.until(/^running$/m, 'systemctl', 'show', UNIT, '--value', '-p', 'SubState');
    expect((await promote()).json.decision).toBe('passed');
  });
});
