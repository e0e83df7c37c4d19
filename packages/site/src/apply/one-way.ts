/** Parts without a way back at this site: which of them its driver can take. */
import type { Check } from '@sealane/core';
import type { Admission } from '@sealane/trust';
import type { Site } from '../site.js';

/** Why a release cannot be laid down here; undefined when all of its parts can be rolled back. No driver of today can put such a part last and hold. */
export function oneWayRefusal({ config }: Pick<Site, 'config'>, { releaseDoc }: Admission): Check | undefined {
  const parts = releaseDoc?.components.filter(({ oneWay }) => oneWay === true).map(({ name }) => name) ?? [];
  if (parts.length === 0) return undefined;
  return {
    id: 'one-way',
    verdict: 'fail',
    expected: `a release that driver ${config.driver.use} can roll back`,
    actual: `no way back from ${parts.join(', ')}`,
    remedy: 'bring these parts in by hand, and promote a release without them',
    evidence: [],
    code: 'RELEASE_IRREVERSIBLE',
  };
}
