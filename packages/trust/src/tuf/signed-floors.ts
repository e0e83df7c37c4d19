/**
 * Version floors with whom they rest on: a floor holds as long as those who signed the file that set it may still sign its role.
 *
 * So what stolen keys drove to the end falls with them, replaced at once or one root after another; what others signed beside them stands; and where a key
 * that was let go comes back, what it signed before is as old as it was.
 */
import type { Authority } from './signed-document.js';

/** A file that was trusted: its version, and the ids (hex SHA-256 of SPKI, sorted) of its role's keys whose signatures held. */
export interface SignedFloor {
  readonly version: number;
  readonly signedBy: readonly string[];
}

/** Roles whose files root alone says who may sign, but for root itself. */
export type FlooredRole = 'timestamp' | 'snapshot' | 'targets';

export type SignedFloors = Readonly<Record<FlooredRole, readonly SignedFloor[]>>;

export const NO_SIGNED_FLOORS: SignedFloors = { timestamp: [], snapshot: [], targets: [] };

/** More sets of signers than a role has in its life; the oldest goes first. */
const MAX_SIGNED_FLOORS = 16;

/** The floors of a role after a file of it became trusted: one that is older and signed by no one else than this says nothing more. */
export function withSignedFloor(floors: readonly SignedFloor[], taken: SignedFloor): readonly SignedFloor[] {
  if (floors.some((floor) => saysAsMuch(floor, taken))) return floors;
  const kept = floors.filter((floor) => !saysAsMuch(taken, floor));
  return [...kept, taken].toSorted((a, b) => a.version - b.version).slice(-MAX_SIGNED_FLOORS);
}

/** The lowest version of a role that may be taken while `authority` says who signs it: the highest whose signers could sign it now. */
export function standingFloor(floors: readonly SignedFloor[], authority: Authority): number {
  const keys = publicKeysOf(authority);
  const stands = ({ signedBy }: SignedFloor): boolean => signedBy.filter((key) => keys.has(key)).length >= authority.threshold;
  return Math.max(0, ...floors.filter(stands).map(({ version }) => version));
}

/** Ids (hex SHA-256 of SPKI) of the keys that may sign. */
export function publicKeysOf({ keyIds, keys }: Authority): ReadonlySet<string> {
  return new Set(keyIds.flatMap((keyId) => keys.get(keyId)?.spkiId ?? []));
}

/** Whether wherever `other` stands, `floor` does, and is no lower. */
function saysAsMuch(floor: SignedFloor, other: SignedFloor): boolean {
  return floor.version >= other.version && other.signedBy.every((key) => floor.signedBy.includes(key));
}
