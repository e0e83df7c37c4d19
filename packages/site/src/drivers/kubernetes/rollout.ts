/** How far an object of a cluster has come, out of its status. Pure. */
import { fieldOf, textOf } from '../../tool-json.js';

/** Ready, on its way, or beyond hope; `how` is for people. */
export type Rollout = { readonly is: 'ready' } | { readonly is: 'waiting' | 'failed'; readonly how: string };

const READY: Rollout = { is: 'ready' };

/** What `kubectl rollout status` waits for, and for pods and jobs what they are there for; other kinds are ready when they are there. */
export function rolloutOf(object: unknown): Rollout {
  const kind = textOf(object, 'kind');
  const what = `${kind} ${textOf(fieldOf(object, 'metadata'), 'name')}`;
  const [spec, status] = [fieldOf(object, 'spec'), fieldOf(object, 'status')];
  const isObserved = number(status, 'observedGeneration') >= number(fieldOf(object, 'metadata'), 'generation');
  const waiting = (how: string): Rollout => ({ is: 'waiting', how: `${what}: ${how}` });
  if (textOf(fieldOf(object, 'metadata'), 'deletionTimestamp') !== '') return waiting('it is being removed');
  switch (kind) {
    case 'Deployment': {
      const late = conditions(status).find(({ reason }) => reason === 'ProgressDeadlineExceeded');
      if (late !== undefined && isObserved) return { is: 'failed', how: `${what}: ${late.message}` };
      const wanted = count(spec, 'replicas', 1);
      const [updated, available, all] = [
        number(status, 'updatedReplicas'),
        number(status, 'availableReplicas'),
        number(status, 'replicas'),
      ];
      if (isObserved && updated === wanted && available === wanted && all === wanted) return READY;
      return waiting(`${updated} of ${wanted} updated, ${available} available, ${all} in all`);
    }
    case 'StatefulSet': {
      const wanted = count(spec, 'replicas', 1);
      const [updated, ready] = [number(status, 'updatedReplicas'), number(status, 'readyReplicas')];
      // whether current and update revision are one says nothing: on the way back they are, while pods of the other still run
      return isObserved && ready === wanted && updated === wanted ? READY : waiting(`${updated} of ${wanted} updated, ${ready} ready`);
    }
    case 'DaemonSet': {
      const wanted = number(status, 'desiredNumberScheduled');
      const [updated, available] = [number(status, 'updatedNumberScheduled'), number(status, 'numberAvailable')];
      return isObserved && updated === wanted && available === wanted
        ? READY
        : waiting(`${updated} of ${wanted} updated, ${available} available`);
    }
    case 'Pod': {
      const phase = textOf(status, 'phase');
      if (phase === 'Failed') return { is: 'failed', how: `${what}: it has failed` };
      const isReady = conditions(status).some(({ type, status: word }) => type === 'Ready' && word === 'True');
      return isReady || phase === 'Succeeded' ? READY : waiting(`it is ${phase || 'unknown'}`);
    }
    case 'Job': {
      const failed = conditions(status).find(({ type, status: word }) => type === 'Failed' && word === 'True');
      if (failed !== undefined) return { is: 'failed', how: `${what}: ${failed.message}` };
      const isDone = conditions(status).some(({ type, status: word }) => type === 'Complete' && word === 'True');
      return isDone ? READY : waiting('it has not ended');
    }
    default:
      return READY;
  }
}

function conditions(
  status: unknown,
): readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[] {
  const list = fieldOf(status, 'conditions');
  if (!Array.isArray(list)) return [];
  return list.map((each: unknown) => ({
    type: textOf(each, 'type'),
    status: textOf(each, 'status'),
    reason: textOf(each, 'reason'),
    message: textOf(each, 'message'),
  }));
}

function number(value: unknown, name: string): number {
  return count(value, name, 0);
}

function count(value: unknown, name: string, otherwise: number): number {
  const found = fieldOf(value, name);
  return typeof found === 'number' ? found : otherwise;
}
