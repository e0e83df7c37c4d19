/** How a set of services is doing, out of what systemd says of each. Pure. */
import type { Digest } from '@sealane/core';
import type { WorkloadStatus } from '../driver.js';
import type { UnitFacts } from '../systemd-shell.js';
import { statusFrom } from '../unit.js';

/** The set runs when each service does, or has come to its end as it should; one that systemd is about to start again is between two lives. */
export function servicesStatus(
  release: Digest,
  services: readonly { readonly service: string; readonly facts: UnitFacts }[],
): WorkloadStatus {
  const each = services.map(({ service, facts }) => ({ service, facts, status: statusFrom(facts, release) }));
  const waiting = each.find(({ facts }) => facts['ActiveState'] === 'activating');
  const ended = each.find(({ status, facts }) => status.is === 'ended' && facts['ActiveState'] !== 'activating');
  if (ended?.status.is === 'ended') return { is: 'ended', release, how: `${ended.service}: ${ended.status.how}` };
  if (waiting !== undefined)
    return { is: 'restarting', release, how: `${waiting.service} is being started (${waiting.facts['SubState'] ?? ''})` };
  const [first] = each.flatMap(({ status }) => (status.is === 'running' ? [status] : []));
  if (first === undefined) return each.length === 0 ? { is: 'ended', release, how: 'it has no service' } : { is: 'handed-over', release };
  return { ...first, restarts: Math.max(...each.map(({ facts }) => Number(facts['NRestarts'] ?? 0))) };
}
