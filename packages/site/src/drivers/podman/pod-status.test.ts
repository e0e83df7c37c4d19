import { digestFromHex } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { type Container, parseContainers, podStatus } from './pod-status.js';

const release = digestFromHex('a'.repeat(64));
const container = (more: Partial<Container>): Container => ({
  name: 'readings-app',
  status: 'running',
  exitCode: 0,
  pid: 7,
  restarts: 0,
  restartPolicy: 'no',
  isInfra: false,
  ...more,
});
const infra = container({ name: 'infra', isInfra: true });

describe('pods', () => {
  test.each([
    ['all run', [infra, container({}), container({ restarts: 2 })], { is: 'running', pid: 7, restarts: 2 }],
    ['one came to its end as it should', [container({}), container({ status: 'exited' })], { is: 'running' }],
    [
      'one failed',
      [container({}), container({ status: 'exited', exitCode: 3 })],
      { is: 'ended', how: 'container readings-app exited with 3' },
    ],
    [
      'one was made and never started',
      [container({}), container({ status: 'created' })],
      { is: 'ended', how: 'container readings-app is created' },
    ],
    ['one has a state that nobody knows', [container({}), container({ status: 'quantum' })], { is: 'ended' }],
    ['one is paused', [container({ status: 'paused' })], { is: 'ended' }],
    [
      'one is between two lives',
      [container({}), container({ status: 'exited', exitCode: 1, restartPolicy: 'always' })],
      { is: 'restarting' },
    ],
    [
      'one is between two lives and one is gone',
      [container({ status: 'exited', restartPolicy: 'always' }), container({ status: 'dead' })],
      { is: 'ended' },
    ],
    ['all have ended', [container({ status: 'exited' })], { is: 'ended', how: 'every container has ended' }],
    ['only the infrastructure runs', [infra], { is: 'ended', how: 'no container is there' }],
    ['none is there', [], { is: 'ended' }],
  ])('%s', (_what, containers, expected) => {
    expect(podStatus(release, containers)).toMatchObject({ ...expected, release });
  });
});

describe('the answer of an engine', () => {
  test('is read', () => {
    const answer = [
      {
        Name: 'a',
        State: { Status: 'running', ExitCode: 0, Pid: 7 },
        RestartCount: 1,
        IsInfra: false,
        HostConfig: { RestartPolicy: { Name: 'always' } },
      },
    ];
    expect(parseContainers(JSON.stringify(answer))).toEqual([container({ name: 'a', restarts: 1, restartPolicy: 'always' })]);
  });

  test.each([
    '',
    'null',
    '{}',
    '[null]',
    '[{}]',
    '[{"Name":"a"}]',
    '[{"Name":"a","State":{"Status":1,"ExitCode":0}}]',
    '[{"Name":"a","State":{"Status":"running"}}]',
  ])('%j is no answer', (text) => expect(parseContainers(text)).toBeUndefined());
});
