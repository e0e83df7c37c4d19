/** How a command becomes words of systemd-run: its own reach it as they are written. */
import { expect, test } from 'vitest';
import { unitCallEnv, wordsOf } from './systemd-shell.js';

test('a value of a release comes into no text of a command: systemd puts none in the place of what looks like a variable', () => {
  const script = 'echo "$SEALANE_NAME ${SEALANE_VAR_MODE}" $$';
  const words = wordsOf({ properties: ['User=daemon'], cwd: '/state/current', argv: ['/bin/sh', '-c', script] });
  expect(words).toEqual([
    '--quiet',
    '--property=WorkingDirectory=/state/current',
    '--property=User=daemon',
    '--',
    '/bin/sh',
    '-c',
    // systemd.service(5): $$ is a dollar sign
    'echo "$$SEALANE_NAME $${SEALANE_VAR_MODE}" $$$$',
  ]);
  expect(words.at(-1)?.replaceAll('$$', '$')).toBe(script);
});

test('systemd-run itself is given nothing of a release but where programs are', () => {
  expect(unitCallEnv({ PATH: '/opt/bin', SEALANE_VAR_MODE: 'x', LD_PRELOAD: '/tmp/x.so' })).toEqual({ PATH: '/opt/bin' });
});
