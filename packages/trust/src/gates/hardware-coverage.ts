/** Which machine is covered by which tested unit: by its facts, or by an equivalence that an owner signed and that has not expired. */
import { compareHardware, type Digest, type HardwareComparison, hardwareClass, type HardwareFacts } from '@sealane/core';
import type { PolicyHardware } from '../policy/policy.js';
import { timeToSeconds } from '../time.js';

/** A unit that was tested: its facts, and a word that tells it from other units (its serial, else its class). */
export interface TestedUnit {
  readonly facts: HardwareFacts;
  readonly unit: string;
}

/** Whether a machine is covered, by how many distinct units, and what keeps the nearest unit from covering it. */
export interface Coverage {
  readonly units: number;
  readonly why: string;
}

/**
 * Compares one machine with everything tested. `at` (RFC 3339) is the witnessed time at which equivalences are judged.
 *
 * A required fact that is unknown on either side is never covered, not by an equivalence either.
 */
export function coverageOf(input: {
  readonly site: HardwareFacts;
  readonly tested: readonly TestedUnit[];
  readonly policy: PolicyHardware;
  readonly at: string;
}): Coverage {
  const { site, tested, policy, at } = input;
  const units = new Set<string>();
  let nearest: HardwareComparison | undefined;
  for (const { facts, unit } of tested) {
    const comparison = compareHardware({ tested: facts, site, require: policy.require });
    const isCovered = comparison.covered || (comparison.unknown.length === 0 && areEquivalent(facts, site, policy, at));
    if (isCovered) units.add(unit);
    else if (nearest === undefined || weight(comparison) < weight(nearest)) nearest = comparison;
  }
  return { units: units.size, why: nearest === undefined ? 'no tested unit' : describeComparison(nearest) };
}

/** What keeps a unit from covering a machine, on one line. */
export function describeComparison({ differences, unknown }: HardwareComparison): string {
  const parts = differences.map(({ fact, tested, site }) => `${fact}: tested ${tested}, here ${site}`);
  return [...parts, ...(unknown.length > 0 ? [`unknown: ${unknown.join(', ')}`] : [])].join('; ');
}

function areEquivalent(tested: HardwareFacts, site: HardwareFacts, policy: PolicyHardware, at: string): boolean {
  const [left, right]: readonly Digest[] = [hardwareClass(tested), hardwareClass(site)];
  return policy.equivalences.some(({ classes, expiresAt }) => {
    const isOn = timeToSeconds(expiresAt) > timeToSeconds(at);
    return isOn && left !== undefined && right !== undefined && classes.includes(left) && classes.includes(right);
  });
}

function weight({ differences, unknown }: HardwareComparison): number {
  return differences.length + unknown.length;
}
