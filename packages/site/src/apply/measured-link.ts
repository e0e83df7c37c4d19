/** What a receipt says of the links that brought a release: the word of `fetch`, within bounds, and part of no decision. */
import type { Digest } from '@sealane/core';
import { type MeasuredLink, measuredLinkShape } from '@sealane/trust';
import type { Disk } from '../disk.js';
import type { Measured } from '../fetch/link-meter.js';
import { readMeasured } from '../fetch/measured-file.js';

/** What was measured while `release` came into the mirror; undefined when it did not come over a link, or what is said of it cannot be. */
export function measuredLink(disk: Disk, mirror: string, release: Digest): readonly MeasuredLink[] | undefined {
  const known = readMeasured(disk, mirror);
  if (known?.releases.includes(release) !== true) return undefined;
  const said = new Map(known.links.map((link) => [link.over, link]));
  const whole = [...said.values()].flatMap((link) => measuredLinkShape.safeParse(toldOf(link)).data ?? []);
  return whole.length === 0 ? undefined : whole;
}

function toldOf({ firstBytesMs, ...counts }: Measured): MeasuredLink {
  const median = [...firstBytesMs].sort((left, right) => left - right)[(firstBytesMs.length - 1) >> 1];
  return { ...counts, ...(median === undefined ? {} : { firstByteMs: median }) };
}
