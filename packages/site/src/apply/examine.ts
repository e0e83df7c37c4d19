/** What may be wrong at a site, looked at from outside the updater: each finding is a check with its remedy. */
import { type Check, type ErrorCode, ERRORS, SealaneError } from '@sealane/core';
import type { Site } from '../site.js';
import { slotFolder } from '../state-folder.js';
import { ENROL_AGAIN, INSTALL, liftStep, MEND, RELINK } from './next-step.js';
import type { Phase } from './state.js';
import { journalFault } from './mend.js';
import { linkTo } from './mend-current.js';
import { readState } from './machine.js';
import { isOpenStray, readStrays, strayCheck } from './strays.js';
import { readTrustFile } from './trust-file.js';
import { trustedNow } from './trusted-time.js';

/** Looks at journal, trust, the link to what runs, the workload, and what its driver keeps on this host. Changes nothing. */
export async function examine(site: Site): Promise<readonly Check[]> {
  const fault = journalFault(site);
  const journal = finding('journal', 'STATE_CORRUPT', 'a journal whose records follow one another', fault ?? 'whole', fault === undefined);
  if (fault !== undefined) return [journal, trustCheck(site)];
  const { examine: host = () => [] } = site.driver;
  return [journal, ...stateChecks(site), trustCheck(site), linkCheck(site), await workloadCheck(site), ...host(), ...strayChecks(site)];
}

/** A site that waits for a person. */
function stateChecks({ world, folder }: Site): readonly Check[] {
  const { phase, drained } = readState(world.disk, folder.journal);
  if (phase.at !== 'held') return [];
  return [finding('state', phase.code, 'a site that needs nobody', phase.message, false, liftStep(phase.code, drained))];
}

function trustCheck({ world, folder }: Site): Check {
  const expected = 'trust state that is whole and fresh enough to install';
  try {
    const { expiresAt, time } = readTrustFile(world.disk, folder.trust);
    // a clock that is behind makes nothing fresh
    const isFresh = expiresAt === null || expiresAt > trustedNow(time, world.clock);
    return finding('trust', 'TRUST_EXPIRED', expected, expiresAt === null ? 'nothing verified yet' : `good until ${expiresAt}`, isFresh);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return finding('trust', error.code, expected, error.message, false, error.code === 'STATE_CORRUPT' ? ENROL_AGAIN : undefined);
  }
}

/** Phases in which the link may already point at what is to become current. */
const IN_BETWEEN: readonly Phase['at'][] = ['switching', 'probation', 'saving', 'one-way', 'settling', 'trial', 'rolling-back'];

function linkCheck({ world, folder }: Site): Check {
  const { current, phase } = readState(world.disk, folder.journal);
  const target = world.disk.readLink(folder.current);
  const kind = world.disk.kind(folder.current);
  const wanted = current === null ? undefined : linkTo(current.release);
  const isGone = current !== null && target === wanted && world.disk.kind(slotFolder(folder, current.release)) !== 'folder';
  // one that is held waits for a person first
  const isSettled = !IN_BETWEEN.includes(phase.at) && phase.at !== 'held';
  const found = target ?? (kind === 'nothing' ? kind : `a ${kind}`);
  const isRight = !isSettled || (target === wanted && !isGone && (target !== undefined || kind === 'nothing'));
  return finding(
    'current',
    'STATE_CORRUPT',
    `current → ${wanted ?? 'nothing'}`,
    isGone ? `${found}, which is not there` : found,
    isRight,
    current === null ? INSTALL : RELINK,
  );
}

async function workloadCheck({ world, folder, driver }: Site): Promise<Check> {
  const { current, stopped, drained } = readState(world.disk, folder.journal);
  const status = await driver.status();
  const isDown = stopped || drained !== null;
  const isRight = current === null || isDown || status.is === 'running' || status.is === 'handed-over';
  return finding(
    'workload',
    'HEALTH_FAILED',
    stopped ? 'stopped by an operator' : isDown ? 'stopped while this site is drained' : 'what is installed runs',
    'how' in status ? status.how : status.is,
    isRight,
    MEND,
  );
}

/** As the last update found them; what it stopped or put back needs nobody. */
function strayChecks({ world, folder, driver }: Site): readonly Check[] {
  const open = readStrays(world.disk, folder.strays).filter(isOpenStray);
  if (driver.strays === undefined && open.length === 0) return [];
  return open.length > 0 ? open.map(strayCheck) : [finding('strays', 'WORKLOAD_STRAY', 'nothing beside the release', 'nothing', true)];
}

function finding(id: string, code: ErrorCode, expected: string, actual: string, isRight: boolean, remedy?: string): Check {
  if (isRight) return { id, verdict: 'pass', expected, actual, remedy: '', evidence: [] };
  return { id, verdict: 'fail', expected, actual, remedy: remedy ?? ERRORS[code].hint, evidence: [], code };
}
