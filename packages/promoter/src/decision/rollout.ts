/** The rollout: the groups of a stage, in their order, that an approval and a decision name. */
import { PromoterError } from '@sealane/core';
import { stageOf } from '../promoter.js';
import type { GateSource } from './gate-source.js';

/**
 * All groups of the stage, or the one that is asked for.
 *
 * @throws PromoterError `USAGE` no such group; `STAGE_UNKNOWN`
 */
export function rolloutOf(promoter: Pick<GateSource, 'lane'>, stage: string, group?: string): readonly string[] {
  const names = stageOf(promoter, stage).policy.groups.map(({ name }) => name);
  if (group === undefined) return names;
  if (!names.includes(group)) throw new PromoterError('USAGE', `read --group: expected one of ${names.join(', ')}, got ${group}`);
  return [group];
}
