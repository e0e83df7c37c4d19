/** The content part of a sync, all of it bulk: the evidence that waybills name, and their releases down to the last layer. */
import { type Digest, digestHex, isDigest, SealaneError } from '@sealane/core';
import { walkRelease } from '@sealane/oci';
import type { Waybill } from '@sealane/trust';
import type { BlobSource } from './blob-source.js';
import { blobPath, isNamed, type Mirror, type WantedBlob } from './mirror.js';
import { makeRoom } from './room.js';
import { count, emptyTally, type Tally } from './tally.js';

/** A manifest of an image, as `oci` bounds it; a release manifest is smaller. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Rounds of walking a release: each finds one manifest that was missing. More images in one release than anybody ships. */
const MAX_WALKS = 1024;

/**
 * Gets all content of the waybills, in the bound of the mirror (`null`: none). What no upstream has, or all have wrong, is counted.
 *
 * @throws SiteError `DISK_SHORT` it is more than the bound; `FETCH_FAILED`, `FETCH_TOO_SLOW`, `BUDGET_SPENT` it cannot be brought now: what has come is kept
 */
export async function fetchContent(
  source: BlobSource,
  mirror: Mirror,
  recheck: 'size' | 'bytes',
  waybills: readonly Waybill[],
  tally: Tally,
  maxBytes: number | null,
): Promise<void> {
  const blobs: WantedBlob[] = [];
  const want = (digest: Digest, sizeBytes: number): void => {
    if (tally.wanted.has(digestHex(digest))) return;
    tally.wanted.add(digestHex(digest));
    blobs.push({ digest, sizeBytes });
  };
  for (const waybill of waybills) {
    for (const blob of waybill.blobs) want(blob.digest, blob.size);
    await wantRelease(source, mirror, waybill.release, tally, want);
  }
  if (maxBytes !== null) makeRoom(mirror, blobs, (hex) => tally.wanted.has(hex), maxBytes);
  for (const blob of blobs) count(tally, blob.digest, await source.blob(blob, recheck));
}

/** Thrown by a look at what is here. */
class Lacking extends Error {}

/** The releases of which anything is not here yet; nothing is fetched. */
export async function lackingOf(mirror: Mirror, waybills: readonly Waybill[]): Promise<readonly Digest[]> {
  const lacking: Digest[] = [];
  for (const waybill of waybills) if (await lacksContent(mirror, [waybill])) lacking.push(waybill.release);
  return lacking;
}

async function lacksContent(mirror: Mirror, waybills: readonly Waybill[]): Promise<boolean> {
  const orLacking = (isHere: boolean): 'kept' => {
    if (isHere) return 'kept';
    throw new Lacking();
  };
  const look: BlobSource = {
    blob: async (wanted) => orLacking(await mirror.hasBlob(wanted, 'size')),
    manifest: (digest) => Promise.resolve(orLacking(mirror.has(blobPath(digest)))),
  };
  try {
    await fetchContent(look, mirror, 'size', waybills, emptyTally(), null);
    return false;
  } catch (error) {
    if (error instanceof Lacking) return true;
    throw error;
  }
}

/** Walks the release, getting one missing manifest after the other, and wants everything that it names. */
async function wantRelease(
  source: BlobSource,
  mirror: Mirror,
  release: Digest,
  tally: Tally,
  want: (digest: Digest, sizeBytes: number) => void,
): Promise<void> {
  for (let walks = 0; walks < MAX_WALKS; walks += 1) {
    const walk = walkSoFar(mirror, release);
    if (walk.is === 'missing') {
      tally.wanted.add(digestHex(walk.digest));
      // a manifest that cannot be had: what is below it is not known
      if (!count(tally, walk.digest, await source.manifest(walk.digest, MAX_MANIFEST_BYTES))) return;
      continue;
    }
    tally.wanted.add(digestHex(release));
    for (const { digest, size } of walk.found) want(digest, size);
    return;
  }
}

type Walk =
  | { readonly is: 'missing'; readonly digest: Digest }
  | { readonly is: 'walked'; readonly found: readonly { readonly digest: Digest; readonly size: number }[] };

function walkSoFar(mirror: Mirror, release: Digest): Walk {
  try {
    const { blobs } = walkRelease((digest, maxBytes) => {
      const bytes = mirror.read(blobPath(digest), maxBytes);
      return isNamed(bytes, digest) ? bytes : undefined;
    }, release);
    return { is: 'walked', found: blobs };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    const { digest } = error.data;
    // malformed: `apply` names it
    return error.code === 'CONTENT_MISSING' && isDigest(digest) ? { is: 'missing', digest } : { is: 'walked', found: [] };
  }
}
