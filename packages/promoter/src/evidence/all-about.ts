/** All that the log has of a release: scanners and builders know images and no releases, and what they say of its images is said of it. */
import type { Digest } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { aboutImages, releaseDocument } from '../decision/gate-input.js';
import type { Promoter } from '../promoter.js';

/** What names the release, and what gates read of its images alone, in the order of the log. @throws PromoterError `RELEASE_UNKNOWN` */
export async function allAbout(promoter: Promoter, release: Digest): Promise<readonly LedgerEntry[]> {
  const images = await aboutImages(promoter, release, await releaseDocument(promoter, release));
  return [...(await promoter.ledger.statementsAbout(release)), ...images].sort((one, other) => one.index - other.index);
}
