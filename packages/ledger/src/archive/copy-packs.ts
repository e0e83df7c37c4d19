/** Brings packs to the places of an archive: copied to each, offered there under a tag, read back from each and found whole. */
import { digestHex, equalBytes, LedgerError, sha256, utf8 } from '@sealane/core';
import { reached } from '../points.js';
import type { ArchivePlace, PackName } from './place-shell.js';

/** Packs of one manifest, which are written down in one transaction: some 30 MB in memory at most, most of the time a tenth of it. */
export const MAX_PACKS_AT_ONCE = 8;

/** A pack to be copied. */
export interface PackToCopy extends PackName {
  readonly packed: Uint8Array;
  /** What tools call its file, without the ending. */
  readonly title: string;
  /** Whether all that was packed comes out of these bytes. */
  readonly isWhole: () => Promise<boolean>;
}

/**
 * Copies packs; durable in every place, and whole, when it resolves. The tag begins with `name`.
 *
 * @throws LedgerError `ARCHIVE_UNREACHABLE`, `ARCHIVE_DAMAGED` a place does not give back what it took; OciError of a place
 */
export async function copyPacks(places: readonly ArchivePlace[], packs: readonly PackToCopy[], name: string): Promise<void> {
  for (const place of places) {
    for (const pack of packs) await place.put(pack, pack.packed);
    reached('ledger:packs-copied');
    await place.offer(
      packs.map(({ digest, bytes, title }) => ({ digest, bytes, title: `${title}.tar.gz` })),
      tagOf(packs, name),
    );
    reached('ledger:packs-offered');
  }
  for (const place of places) for (const pack of packs) await expectThere(place, pack);
}

/** One tag for the same packs: a layout and a registry move a tag, and would let go of others. */
function tagOf(packs: readonly PackName[], name: string): string {
  const digests = packs.map(({ digest }) => digest).join('\n');
  return `${name}-${digestHex(sha256(utf8(digests))).slice(0, 16)}`;
}

async function expectThere(place: ArchivePlace, { digest, bytes, packed, isWhole }: PackToCopy): Promise<void> {
  const read = await place.read({ digest, bytes });
  if (equalBytes(read, packed) && (await isWhole())) return;
  throw new LedgerError('ARCHIVE_DAMAGED', `read pack ${digest} back from ${place.name}: expected what was written, got something else`, {
    digest,
  });
}
