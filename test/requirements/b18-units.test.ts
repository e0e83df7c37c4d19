/** Rows B9 and B18, driver `files` on a booted systemd: the workload's unit carries the values of the release's variables, and is put back when somebody changes it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shellImage } from '../support/podman.js';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import { canBoot } from '../support/machine.js';

const APPLY = 'sealane-site-apply.service';
const WORKLOAD = 'sealane-workload-harbour-7.service';

/** A command as one is written for a shell. */
const SAYS = 'test $$ -gt 1 && echo "mode ${SEALANE_VAR_MODE} of $SEALANE_NAME ${SEALANE_VERSION%%.*}" && cat "$SEALANE_VARIABLES"';

/** Asked by a unit of that user too: the values of whichever release it is. */
const READS = [{ command: ['/bin/sh', '-c', 'test "$(id -un)" = daemon && grep -q : "$SEALANE_VARIABLES"'] }];

describe.skipIf(!canBoot())('B9 and B18, the unit of a workload (skipped without root, systemd-nspawn)', () => {
  let here: InstalledSite;
  let dir: string;

  const configure = (strays: string): void =>
    here.configure({
      driver: { unit: { properties: ['User=daemon', 'MemoryMax=${SEALANE_VAR_MEMORY}', 'Nice=${SEALANE_VAR_NICE}'] }, strays },
    });
  const mebibytes = async (): Promise<number> => Number(await here.show(WORKLOAD, 'MemoryMax')) / 1024 / 1024;

  /** A release whose variables have these defaults. */
  const publish = async (version: string, variables: string): Promise<string> => {
    const { reference } = await shellImage(path.join(dir, version), version);
    const declares = path.join(dir, `${version}.yaml`);
    writeFileSync(declares, variables);
    const words = ['--version', version, '--image', `app=${reference}`, '--declare', declares, '--key', 'author'];
    const { release } = await here.lane.sealane(['release', 'create', '--name', 'readings', ...words]);
    await here.lane.promote(release);
    return release;
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-b18-units-'));
    here = await installSite();
    configure('report');
    await here.machine.must('systemctl', 'enable', '--now', APPLY);
  });

  afterAll(async () => {
    await here.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('B9 files: the unit has the values of the release’s variables; one that is no plain word, or that it does not declare, is refused', async () => {
    const first = await publish('1.0.0', declared('64M'));
    // or by the service itself, whose turn may come first
    await here.site('update');
    expect((await here.site('status')).json).toMatchObject({ current: { release: first } });
    expect([await mebibytes(), await here.show(WORKLOAD, 'Nice'), await here.show(WORKLOAD, 'User')]).toEqual([64, '5', 'daemon']);
    for (const [version, text] of [
      ['1.1.0', declared('64M User=root')],
      ['1.2.0', 'variables: [{ name: OTHER, type: integer, min: 0, max: 9, default: 5 }]\n'],
    ] as const) {
      await publish(version, text);
      const { exit, json } = await here.site('update');
      expect([exit, json.outcome, json.reason], JSON.stringify(json.checks?.at(-1))).toEqual([4, 'refused', 'DRIVER_REFUSED']);
    }
    expect(await mebibytes()).toBe(64);
  });

  test('B18 files: a unit that somebody edits is reported, and told by doctor; with strays: stop it runs again as it was', async () => {
    await here.machine.must('systemctl', 'set-property', WORKLOAD, 'MemoryMax=900M');
    await here.site('update');
    const strays = async (): Promise<unknown> => (await here.site('status')).json.strays;
    expect(await strays()).toMatchObject([{ what: `unit ${WORKLOAD}`, how: 'was changed', did: 'reported' }]);
    expect(await mebibytes()).toBe(900);
    expect((await here.site('doctor')).exit).toBe(3);

    configure('stop');
    await here.machine.must('systemctl', 'restart', APPLY);
    await here.site('update');
    expect(await strays()).toMatchObject([{ did: 'put back' }, { did: 'reported' }]);
    expect(await mebibytes()).toBe(64);
    expect((await here.site('doctor')).json).toMatchObject({ ok: true });
    await here.site('update');
    expect(await here.show(WORKLOAD, 'ActiveState')).toBe('active');
  });

  test('B9 files: a log that has grown too large is cut at an update, and its workload runs on', async () => {
    const log = '/var/lib/sealane-site/logs/workload.log';
    const pid = await here.show(WORKLOAD, 'MainPID');
    await here.machine.must('sh', '-c', `head -c 9000000 /dev/zero >> ${log}`);
    await here.site('update');
    expect(await here.machine.must('stat', '-c', '%s %a', log, `${log}.1`)).toBe('0 600\n8388608 600\n');
    expect(await here.show(WORKLOAD, 'MainPID')).toBe(pid);
  });

  test.each([
    ['files', '2.0.0', { unit: { properties: ['User=daemon'] }, start: `${SAYS}; exec sleep 600`, health: READS }],
    ['command', '2.1.0', { use: 'command', unit: {}, start: SAYS, health: [], stopGraceSeconds: undefined }],
  ])('B9 %s: a value of a release is a value in a command of site.yaml, and never a part of it', async (_use, version, driver) => {
    here.configure({ driver });
    await here.machine.must('systemctl', 'restart', APPLY);
    const value = 'x"; touch /var/tmp/taken; echo "';
    await publish(version, JSON.stringify({ variables: [{ name: 'MODE', type: 'text', maxLength: 64, default: value }] }));
    expect((await here.site('update')).json).toMatchObject({ outcome: 'installed' });
    const log = await here.machine.must('tail', '-n', '2', '/var/lib/sealane-site/logs/workload.log');
    expect(log).toContain(`mode ${value} of readings 2`);
    // whoever the unit runs as
    expect(log).toContain(JSON.stringify({ MODE: value }));
    expect((await here.machine.run('test', '-e', '/var/tmp/taken')).exit).toBe(1);
  });

  test('B9 files: the state of another unit of the host is a check of health', async () => {
    const [beside, variables] = ['beside.service', declared('64M')];
    here.configure({
      driver: {
        unit: { properties: ['User=daemon'] },
        health: [{ command: ['systemctl', 'is-active', '--quiet', beside] }],
        startSeconds: 1,
      },
    });
    await here.machine.must('systemd-run', `--unit=${beside}`, 'sleep', 'infinity');
    await here.machine.must('systemctl', 'restart', APPLY);
    const good = await publish('3.0.0', variables);
    expect((await here.site('update')).json).toMatchObject({ outcome: 'installed', release: good });
    await here.machine.must('systemctl', 'stop', beside);
    await publish('3.1.0', variables);
    const { exit, json } = await here.site('update');
    // it is asked of the release before too, which cannot come up either
    expect([exit, json.outcome, json.previous], JSON.stringify(json)).toEqual([8, 'held', good]);
    const said = await here.machine.must('journalctl', '--no-pager', '--unit', APPLY);
    expect(said).toContain(`systemctl is-active --quiet ${beside} exits with 0`);
  });
});

function declared(memory: string): string {
  return `variables:
  - { name: MEMORY, type: text, maxLength: 32, default: '${memory}' }
  - { name: NICE, type: integer, min: 0, max: 9, default: 5 }
`;
}
