/** B11: what a workload and its commands are given in their environment is shown to no other user of the host. The tests go on from one another. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import { canBoot } from '../support/machine.js';

const [APPLY, WORKLOAD] = ['sealane-site-apply.service', 'sealane-workload-harbour-7.service'] as const;
const LAID = '/run/sealane-site-apply/environments';

/** A value as a shell, systemd and its files of variables would read more into it, over two lines. */
const [MARK, VALUE] = ['hidden-7f3a', ' hidden-7f3a "quoted" $HOME ${HOME} `id` %n \\ \'x\' # ; \n second line\t'] as const;

/** All that a user of the host can ask of systemd, of processes and of files that are not on a disk. */
const LOOK = `
systemctl show '*' 2>&1; systemctl cat 'sealane-*' 2>&1; systemctl show-environment 2>&1
cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2> /dev/null
find /run /tmp /dev/shm -type f -readable -exec cat {} + 2> /dev/null
exit 0
`;

describe.skipIf(!canBoot())('B11 environments on a real systemd (skipped without root, debootstrap, systemd-nspawn)', () => {
  let here: InstalledSite;

  const environ = async (pid: string): Promise<readonly string[]> =>
    (await here.machine.must('cat', `/proc/${pid.trim()}/environ`)).split('\0');
  const seen = async (): Promise<string> =>
    await here.machine.must('setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--', 'sh', '-c', LOOK);
  const laid = async (): Promise<string> => await here.machine.must('find', LAID, '-type', 'f', '-printf', '%f %m %U\n');

  beforeAll(async () => {
    here = await installSite();
    const stop = 'echo "$TOKEN" > /root/stopped; echo $$ > /run/stopping; test -e /run/quick || sleep 600';
    const driver = {
      unit: { properties: ['Restart=always', 'RestartSec=0'] },
      env: { TOKEN: VALUE },
      start: ['/bin/sh', '-c', 'exec sleep 600'],
      stop: ['/bin/sh', '-c', stop],
      stopGraceSeconds: 120,
      health: [{ command: ['/bin/sh', '-c', 'test -n "$TOKEN"'] }],
    };
    here.configure({ driver });
    await here.lane.promote(await here.lane.release('1.0.0'));
    await here.machine.must('systemctl', 'enable', '--now', APPLY);
    await here.machine.until(/"state":"idle","current":\{/, 'sealane-site', 'status', '--json');
  });
  afterAll(async () => {
    await here.stop();
  });

  it('B11 a workload has values of driver.env to the letter, also when systemd starts it again; no other user of the host finds them', async () => {
    const pid = await here.show(WORKLOAD, 'MainPID');
    expect(await environ(pid)).toContain(`TOKEN=${VALUE}`);
    expect(await seen()).toContain('ExecStart');
    expect(await seen()).not.toContain(MARK);
    expect(await laid()).toBe(`${WORKLOAD}.env 600 0\n`);
    await here.machine.must('kill', '-KILL', pid);
    await here.machine.until(new RegExp(`^(?!${pid}$|0$)\\d+$`, 'm'), 'systemctl', 'show', WORKLOAD, '--value', '-p', 'MainPID');
    expect(await environ(await here.show(WORKLOAD, 'MainPID'))).toContain(`TOKEN=${VALUE}`);
  });

  it('B11 so has a command that is run as a unit, and what a killed updater left of it is gone with the next', async () => {
    const asked = here.site('stop');
    const pid = await here.machine.until(/\d/, 'cat', '/run/stopping');
    expect(await environ(pid)).toContain(`TOKEN=${VALUE}`);
    expect(await seen()).not.toContain(MARK);
    expect((await laid()).trim().split('\n').sort()).toEqual([
      expect.stringMatching(/^sealane-stop-harbour-7:\w+\.service\.\d+-\d+\.env 600 0$/),
      `${WORKLOAD}.env 600 0`,
    ]);
    await here.machine.must('systemctl', 'kill', '--kill-who=main', '--signal=SIGKILL', APPLY);
    await asked;
    await here.machine.must('touch', '/run/quick');
    await here.machine.until(/"stopped":true/, 'sh', '-c', 'sealane-site stop --json > /dev/null; sealane-site status --json');
    expect(await here.machine.must('cat', '/root/stopped')).toBe(`${VALUE}\n`);
    expect(await laid(), 'nothing runs').toBe('');
  });

  it('B11 the journal, which a user may be let read, has none of it', async () => {
    expect(await here.machine.must('journalctl', '--boot', '--output=verbose', '--all')).not.toContain(MARK);
    expect(readdirSync(path.join(here.machine.root, 'var/lib/sealane-site', 'run'))).not.toContain('environments');
  });
});
