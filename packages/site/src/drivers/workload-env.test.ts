import { expect, test } from 'vitest';
import { inheritedEnv } from './workload-env.js';

test('a workload inherits the environment of the updater, but nothing that is for the updater alone', () => {
  const own = {
    SEALANE_STATE: '/var/lib/sealane-site',
    CREDENTIALS_DIRECTORY: '/run/credentials/sealane-site-apply.service',
    RUNTIME_DIRECTORY: '/run/sealane-site-apply',
    // it would say of the updater that it is ready, alive or stopping
    NOTIFY_SOCKET: '/run/systemd/notify',
    WATCHDOG_USEC: '30000000',
    WATCHDOG_PID: '1',
    LISTEN_FDS: '1',
    LISTEN_PID: '1',
    LISTEN_FDNAMES: 'technicians',
    INVOCATION_ID: 'a',
    JOURNAL_STREAM: '1:2',
  };
  expect(inheritedEnv({ ...own, PATH: '/usr/bin', MY_SEALANE_STATE: 'x' })).toEqual({ PATH: '/usr/bin', MY_SEALANE_STATE: 'x' });
});
