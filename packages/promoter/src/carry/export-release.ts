/** Takes a release out of a lane: all its bytes, all that was said of it and of its images with proofs, and the log in which that is. */
import path from 'node:path';
import { LIMITS, parseCheckpoint } from '@sealane/core';
import { copyFrom, layoutSource, openLayout } from '@sealane/oci';
import { namedBlobs } from '@sealane/trust';
import { bringBack } from '../archive/documents.js';
import { durableWrite, durableWriteAll, PUBLIC_FILE } from '../disk-shell.js';
import { allAbout } from '../evidence/all-about.js';
import { bundleOf, statementOf, witnessedHead } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import type { NamedRelease } from '../release/records.js';
import { CARRIED } from './carried-statements.js';

export interface ExportedRelease {
  readonly out: string;
  readonly release: string;
  readonly statements: number;
  /** Size of the log under whose checkpoint they are proved, and its origin. */
  readonly log: { readonly origin: string; readonly size: number };
}

/**
 * Writes the folder. `statements.json` comes last: a folder that was pulled too early has none.
 *
 * @throws PromoterError `LOG_WITNESS` no quorum now; OciError `CONTENT_MISSING` the lane lacks a blob that evidence names, and others for content
 */
export async function exportRelease(promoter: Promoter, { digest }: NamedRelease, out: string): Promise<ExportedRelease> {
  const { ledger, home } = promoter;
  const note = await witnessedHead(promoter);
  const here = await openLayout(home.content);
  const there = await openLayout(path.join(out, CARRIED.content), { create: 'if-missing' });
  await there.addToIndex(await copyFrom(layoutSource(here, { digest }), there));
  const entries = await allAbout(promoter, digest);
  await bringBack(promoter, entries.map(statementOf));
  for (const blob of entries.flatMap((entry) => namedBlobs(statementOf(entry))))
    await there.putBlob(await here.readBlob(blob, LIMITS.evidenceBlobBytes), { expected: blob, maxBytes: LIMITS.evidenceBlobBytes });
  await ledger.publishTiles(
    (files) => durableWriteAll(new Map([...files].map(([file, bytes]) => [path.join(out, CARRIED.log, file), bytes])), PUBLIC_FILE),
    undefined,
  );
  const bundles = await Promise.all(entries.map((entry) => bundleOf(ledger, entry, note)));
  durableWrite(path.join(out, CARRIED.statements), `${JSON.stringify(bundles)}\n`, PUBLIC_FILE);
  return { out, release: digest, statements: bundles.length, log: { origin: ledger.origin, size: parseCheckpoint(note).size } };
}
