/** Admission at this site: gathers what `admit` needs from disk and clock, and keeps what it says must be kept. */
import { type JsonObject, LIMITS, sha256, SiteError, TrustError } from '@sealane/core';
import { type Admit, admit, type Admission, type AdmitInput, MAX_RECORD_BYTES } from '@sealane/trust';
import { crashPoint } from '../crash-point.js';
import type { Site } from '../site.js';
import { type LaneFolders, laneFolders } from './lane-view.js';
import { activeHold } from './hold.js';
import type { Machine } from './machine.js';
import { withOneWayFloor } from './one-way.js';
import { readTrustFile, trustAfter, type TrustFile, writeTrustFile } from './trust-file.js';
import { tickedFloor, trustedNow } from './trusted-time.js';

const TIMESTAMP = 'trust/metadata/timestamp.json';

/** The lane as this site has it: the mirror, and over it what an upstream offered last. */
export function laneOf({ world, folder }: Site): LaneFolders {
  return laneFolders(world.disk, [folder.offer, folder.mirror]);
}

/** The lane as the mirror alone has it. */
export function mirrorOf({ world, folder }: Site): LaneFolders {
  return laneFolders(world.disk, [folder.mirror]);
}

/**
 * Verifies what lies in the mirror and keeps what was learnt, before anything is done about it. A daemon's `judge` remembers the last answer.
 *
 * @throws SiteError `NOT_ENROLLED`, `STATE_CORRUPT`
 */
export async function admitFromMirror(
  site: Site,
  machine: Machine,
  lane: LaneFolders,
  arrived: readonly string[] = [],
  judge: Admit = admit,
): Promise<Admission> {
  const { world, folder } = site;
  const trust = readTrustFile(world.disk, folder.trust);
  const input = await admitInput(site, machine, lane, arrived);
  const admission = admitOrLifted(input, mirrorOf(site), staleExceptions(machine), judge);
  writeTrustFile(world.disk, folder.trust, trustAfter(trust, admission, world.clock));
  crashPoint('update:trust-saved');
  return admission;
}

/** All that admission depends on, as it is now; `arrived` are secrets that wait to be taken in. @throws SiteError `NOT_ENROLLED`, `STATE_CORRUPT` */
export async function admitInput(site: Site, machine: Machine, lane: LaneFolders, arrived: readonly string[] = []): Promise<AdmitInput> {
  const { world, folder, config, signer } = site;
  const trust = readTrustFile(world.disk, folder.trust);
  const state = machine.state();
  const now = trustedNow(trust.time, world.clock);
  const record = world.disk.read(folder.record, MAX_RECORD_BYTES);
  if (record === undefined)
    throw new SiteError('NOT_ENROLLED', `read ${folder.record}: expected the record of this site, got nothing`, { path: folder.record });
  return {
    lane,
    trust: trust.tuf,
    siteState: {
      floor: withOneWayFloor(trust, state).floor,
      revoked: trust.revoked,
      seenCheckpoint: trust.seenCheckpoint,
      timeFloor: tickedFloor(trust.time, world.clock).time,
      denied: state.denied.map(({ release, reason }) => ({ release, reason })),
      installed: state.current === null ? null : { release: state.current.release, counter: state.current.counter },
    },
    site: {
      name: config.name,
      keyId: signer.keyId,
      record,
      hbom: await inventory(site),
      variables: config.variables,
      secrets: [...new Set([...state.secrets.map(({ name }) => name), ...arrived])],
      localStage: config.stage,
      allowExampleKeys: config.allowExampleKeys,
    },
    local: { hold: activeHold(state.hold, now)?.reason ?? null },
    now,
    freshness: isImported(lane, trust) ? 'medium' : 'network',
  };
}

/** What people let through with stale trust is what lies in the mirror, not what an upstream offered since and `fetch` found wrong. */
function admitOrLifted(input: AdmitInput, mirror: LaneFolders, exceptions: NonNullable<AdmitInput['exceptions']>, judge: Admit): Admission {
  const admission = judge(input);
  if (admission.reason !== 'TRUST_EXPIRED' || exceptions.length === 0) return admission;
  return admit({ ...input, lane: mirror, exceptions });
}

function staleExceptions(machine: Machine): NonNullable<AdmitInput['exceptions']> {
  const { taken } = machine.state();
  return taken.filter(({ kind }) => kind === 'stale').map(({ bundles }) => bundles);
}

/** Unknown hardware is null, not a reason to stop: the gate says what that means. */
async function inventory({ world }: Site): Promise<JsonObject | null> {
  try {
    return await world.judgedHardware();
  } catch (error) {
    if (!(error instanceof SiteError)) throw error;
    world.talk(`the hardware of this host cannot be read: ${error.message}`);
    return null;
  }
}

/** Whether the timestamp in the mirror is one that an operator imported from a medium: then the stage role's expiry judges. */
function isImported(lane: LaneFolders, { tuf }: TrustFile): boolean {
  try {
    const bytes = lane.read(TIMESTAMP, LIMITS.timestampBytes);
    return bytes !== undefined && tuf.importedTimestamps.includes(sha256(bytes));
  } catch (error) {
    // too large: nobody imported that, and admission says so
    if (error instanceof TrustError) return false;
    throw error;
  }
}
