import { expect, test } from 'vitest';
import { rolloutOf } from './rollout.js';

const deployment = (status: object, generation = 2, spec: object = {}): object => ({
  kind: 'Deployment',
  metadata: { name: 'a', generation },
  spec: { replicas: 2, ...spec },
  status: { observedGeneration: 2, ...status },
});
/** On its way back: its revision is the current one again, and one of its pods is still the other's. */
const stateful = (status: object, spec: object = {}): object => ({
  kind: 'StatefulSet',
  metadata: { generation: 3 },
  spec: { replicas: 2, ...spec },
  status: { observedGeneration: 3, readyReplicas: 2, currentRevision: 'a', updateRevision: 'a', ...status },
});
const whole = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const late = { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' }] };

test.each([
  ['ready', deployment(whole)],
  ['waiting', deployment(whole, 3)],
  ['waiting', deployment({ ...whole, replicas: 3 })],
  ['waiting', deployment({ ...whole, availableReplicas: 1 })],
  ['waiting', deployment({})],
  ['failed', deployment({ ...whole, updatedReplicas: 1, ...late })],
  ['ready', { kind: 'Pod', metadata: {}, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }],
  ['waiting', { kind: 'Pod', metadata: {}, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] } }],
  ['failed', { kind: 'Pod', metadata: {}, status: { phase: 'Failed' } }],
  ['waiting', { kind: 'Job', metadata: {}, status: {} }],
  ['failed', { kind: 'Job', metadata: {}, status: { conditions: [{ type: 'Failed', status: 'True', message: 'm' }] } }],
  ['ready', stateful({ updatedReplicas: 2 })],
  ['waiting', stateful({ updatedReplicas: 1 })],
  ['waiting', deployment({ ...whole, updatedReplicas: 0 }, 2, { paused: true })],
  ['ready', deployment(whole, 2, { paused: true })],
  ['waiting', stateful({ updatedReplicas: 1 }, { updateStrategy: { type: 'OnDelete' } })],
  ['waiting', stateful({ updatedReplicas: 1, readyReplicas: 1 }, { updateStrategy: { type: 'OnDelete' } })],
  ['ready', stateful({ updatedReplicas: 2 }, { updateStrategy: { type: 'OnDelete' } })],
  ['ready', stateful({ updatedReplicas: 1 }, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } })],
  ['waiting', stateful({ updatedReplicas: 0 }, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } })],
  ['ready', { kind: 'Job', metadata: {}, spec: { suspend: true }, status: {} }],
  ['ready', { kind: 'CronJob', metadata: {}, spec: { suspend: true } }],
  ['ready', { kind: 'DaemonSet', metadata: {}, status: { desiredNumberScheduled: 0 } }],
  ['waiting', { kind: 'ConfigMap', metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' } }],
  ['waiting', { kind: 'DaemonSet', metadata: {}, status: { desiredNumberScheduled: 1 } }],
  ['ready', { kind: 'ConfigMap', metadata: { name: 'a' } }],
])('is %s: %j', (is, object) => expect(rolloutOf(object).is).toBe(is));

test.each([
  ['paused', deployment({ ...whole, updatedReplicas: 0 }, 2, { paused: true })],
  ['OnDelete', stateful({ updatedReplicas: 1 }, { updateStrategy: { type: 'OnDelete' } })],
])('says what it waits for: %s', (why, object) => {
  expect(rolloutOf(object)).toMatchObject({ is: 'waiting', how: expect.stringContaining(why) as string });
});
