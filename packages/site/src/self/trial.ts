/**
 * The updater replaces itself, last of a release: everything else of it is healthy by then. The program that runs gives the new one its starts and ends; the
 * new one checks itself, under the launcher's eyes, and takes its place for good by one rename. Where it does not come so far, the launcher starts the old one
 * again, which finds no start left and takes the whole release back.
 */
import { type Check, SealaneError } from '@sealane/core';
import { crashPoint } from '../crash-point.js';
import type { Site } from '../site.js';
import type { Phase, SiteState } from '../apply/state.js';
import { committedSlot, confirmTrial, dropTrials, layTrial, type ProgramPlace, programPlace, trialOf } from './slots.js';

/** What became of the trial so far; `waiting`: another program has to be started, and goes on from here. */
export type TrialEnd =
  { readonly is: 'waiting' } | { readonly is: 'passed' } | { readonly is: 'failed'; readonly checks: readonly Check[] };

/** Starts of either program within one trial: above this the launcher does not do its part. */
const MAX_STARTS = 16;

/** One step of a trial. `check` is that of the new program; none of its checks may fail. */
export async function tryProgram(
  { world, config }: Pick<Site, 'world' | 'config'>,
  { slot, attempt }: Extract<Phase, { at: 'trial' }>,
  check: () => Promise<readonly Check[]>,
): Promise<TrialEnd> {
  const { disk } = world;
  const place = programPlace(world.env);
  if (place === undefined) return { is: 'waiting' };
  const name = config.self?.component ?? 'the updater';
  if (place.own === slot) return await judge(world, place, check);
  const trial = trialOf(disk, place);
  if (attempt > MAX_STARTS || (trial?.slot === slot && trial.left === 0)) {
    dropTrials(disk, place);
    return {
      is: 'failed',
      checks: [failure(`a new ${name} that passes its check`, 'it crashed, hung or was cut off each time that it was started')],
    };
  }
  if (trial?.slot !== slot) layTrial(disk, place, slot);
  crashPoint('update:program-laid');
  world.talk(`${name} is started in its new version; the old one comes back unless that passes its check`);
  return { is: 'waiting' };
}

/** This is the new program: it says so itself, in the last moment in which the old one would come back. */
async function judge({ disk }: Site['world'], place: ProgramPlace, check: () => Promise<readonly Check[]>): Promise<TrialEnd> {
  if (committedSlot(disk, place) === place.own) return { is: 'passed' };
  const trial = trialOf(disk, place);
  if (trial?.slot !== place.own) return { is: 'waiting' };
  const checks = await failedOf(check);
  if (checks.length > 0) return { is: 'failed', checks };
  confirmTrial(disk, place, trial);
  crashPoint('update:program-confirmed');
  return { is: 'passed' };
}

async function failedOf(check: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return (await check()).filter(({ verdict }) => verdict !== 'pass');
  } catch (error) {
    if (!(error instanceof SealaneError) || error.code === 'INTERRUPTED') throw error;
    return [failure('a new updater that passes its check', error.message)];
  }
}

/** Whether going back is the business of another program than this one: the one that was there before. Nothing new is tried from here on. */
export function leavesReturn({ disk, env }: Pick<Site['world'], 'disk' | 'env'>): boolean {
  const place = programPlace(env);
  if (place === undefined) return false;
  dropTrials(disk, place);
  return committedSlot(disk, place) !== place.own;
}

/** The check of a trial that did not pass. */
export function failure(expected: string, actual: string): Check {
  return {
    id: 'updater',
    verdict: 'fail',
    expected,
    actual,
    remedy: 'read the journal of the service: journalctl -u sealane-site-apply',
    evidence: [],
    code: 'HEALTH_FAILED',
  };
}

/** Whether nothing goes on before another program is started. */
export function waitsForProgram({ phase }: SiteState): boolean {
  return phase.at === 'trial' || phase.at === 'rolling-back';
}
