/** How many sites ran a release, from change to change, by what they told. */
import type { Digest } from '@sealane/core';
import type { AuditContext } from './context.js';
import { type Answered, type Asked, inquire } from './inquiry.js';
import { type Run, siteHistory } from './site-history.js';

/** A site began to run the release, or runs it no more; `sites` is how many ran it from then on. */
export interface AdoptionStep {
  readonly at: string;
  readonly site: string;
  readonly change: 'began' | 'ended';
  readonly sites: number;
}

export interface Adoption {
  readonly release: Digest;
  readonly steps: readonly AdoptionStep[];
}

/** Answers "how many sites ran it, since when?" over the sites that are named. @throws AuditorError `LOG_WITNESS`, `USAGE` */
export async function adoption(
  context: AuditContext,
  release: Digest,
  sites: readonly string[],
  asked: Asked = {},
): Promise<Answered<Adoption>> {
  return await inquire(context, `adoption ${release}`, asked, async (inquiry) => {
    const runs: (readonly [string, readonly Run[]])[] = [];
    for (const site of sites) runs.push([site, (await siteHistory(inquiry, site))?.runs ?? []]);
    return { release, steps: stepsOf(release, runs) };
  });
}

/** The steps by time; a site that installs again what it runs changes nothing. */
export function stepsOf(
  release: Digest,
  runs: readonly (readonly [site: string, runs: readonly Pick<Run, 'release' | 'since' | 'until'>[]])[],
): readonly AdoptionStep[] {
  const changes = runs.flatMap(([site, ran]) => {
    const isHere = ran.map((run) => run.release === release);
    return ran.flatMap((run, at) => {
      const [before = false, here = false] = [isHere[at - 1], isHere[at]];
      if (before === here) return [];
      return [{ at: run.since, site, change: here ? ('began' as const) : ('ended' as const) }];
    });
  });
  let count = 0;
  return changes
    .sort((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0))
    .map((change) => ({ ...change, sites: (count += change.change === 'began' ? 1 : -1) }));
}
