import { parseDigest } from '@sealane/core';
import { expect, test } from 'vitest';
import { servicesStatus } from './services-status.js';

const release = parseDigest(`sha256:${'ab'.repeat(32)}`);
const running = { ActiveState: 'active', SubState: 'running', MainPID: '42', NRestarts: '1' };
const over = { ActiveState: 'active', SubState: 'exited', NRestarts: '0' };

test.each([
  ['running', [over, running, { ...running, MainPID: '43', NRestarts: '4' }], { is: 'running', pid: 42, restarts: 4 }],
  ['done', [over], { is: 'handed-over' }],
  ['nothing', [], { is: 'ended' }],
  ['one between two lives', [running, { ActiveState: 'activating', SubState: 'auto-restart' }], { is: 'restarting' }],
  [
    'one failed',
    [running, { ActiveState: 'failed', Result: 'exit-code' }, { ActiveState: 'activating' }],
    { is: 'ended', how: 's1: its unit is failed (exit-code, )' },
  ],
  ['one stopped', [{ ActiveState: 'inactive' }, running], { is: 'ended' }],
  ['one gone', [running, { LoadState: 'not-found' }], { is: 'ended', how: 's1: it is gone' }],
])('a set with %s', (_, facts, expected) => {
  expect(
    servicesStatus(
      release,
      facts.map((each, at) => ({ service: `s${at}`, facts: each })),
    ),
  ).toMatchObject(expected);
});
