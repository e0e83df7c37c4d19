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
      if (updated < wanted && fieldOf(spec, 'paused') === true) return waiting('it is paused, and its pods stay as they are');
      return waiting(`${updated} of ${wanted} updated, ${available} available, ${all} in all`);
    }
    case 'StatefulSet': {
      const wanted = count(spec, 'replicas', 1);
      const [updated, ready] = [number(status, 'updatedReplicas'), number(status, 'readyReplicas')];
      // those below the partition stay as they are, because the release says so
      const kept = number(fieldOf(fieldOf(spec, 'updateStrategy'), 'rollingUpdate'), 'partition');
      // whether current and update revision are one says nothing: on the way back they are, while pods of the other still run
      if (isObserved && ready === wanted && updated >= Math.max(0, wanted - kept)) return READY;
      if (isObserved && ready === wanted && isOnDelete(spec)) return waiting(staying(wanted - updated));
      return waiting(`${updated} of ${wanted} updated, ${ready} ready`);
    }
    case 'DaemonSet': {
      const wanted = number(status, 'desiredNumberScheduled');
      const [updated, available] = [number(status, 'updatedNumberScheduled'), number(status, 'numberAvailable')];
      // where no node is one of its own, none is wanted
      if (isObserved && updated === wanted && available === wanted) return READY;
      if (isObserved && available === wanted && isOnDelete(spec)) return waiting(staying(wanted - updated));
      return waiting(`${updated} of ${wanted} updated, ${available} available`);
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
      // whoever suspends it does not want it to run now
      return isDoneJob(object) || fieldOf(spec, 'suspend') === true ? READY : waiting('it has not ended');
    }
    default:
      return READY;
  }
}

/** Whether a job has done what it is there for. */
export function isDoneJob(object: unknown): boolean {
  const complete = conditions(fieldOf(object, 'status')).some(({ type, status }) => type === 'Complete' && status === 'True');
  return textOf(object, 'kind') === 'Job' && complete;
}

/** Its pods are replaced by nobody but who deletes them. */
function isOnDelete(spec: unknown): boolean {
  return textOf(fieldOf(spec, 'updateStrategy'), 'type') === 'OnDelete';
}

function staying(count: number): string {
  return `${count} of its pods stay as they were until somebody deletes them (OnDelete)`;
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
