/** One blob from one upstream into a file, span by span, going on where an earlier try ended. */
import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs';
import { createDigester, type Digest, type Digester } from '@sealane/core';
import type { Clock } from '../clock.js';
import type { Disk } from '../disk.js';
import { MAX_SPAN_SECONDS, type Pace, SPAN_SECONDS } from './routes/pace.js';
import type { Upstream } from './upstream.js';

/** What is downloaded, and to where. */
export interface Download {
  /** Its path in the lane. */
  readonly path: string;
  readonly sizeBytes: number;
  /** What an earlier try left lies here, and what comes is added. */
  readonly file: string;
}

/** What a download runs in. */
export interface DownloadWorld {
  readonly disk: Disk;
  readonly clock: Pick<Clock, 'uptimeSeconds'>;
}

/** What came: `whole` = from the first byte on, hashed as it came; `rest` = behind bytes of an earlier try; `absent` when the upstream does not have it. */
export type Downloaded = { readonly is: 'whole'; readonly digest: Digest } | { readonly is: 'rest' } | { readonly is: 'absent' };

/**
 * Downloads. At most one byte more than there should be is taken, which shows that the blob is longer.
 *
 * @throws SiteError `FETCH_FAILED`, `CONTENT_UNSAFE`, and what `pace` throws; what has come stays in the file
 */
export async function download(
  { path, sizeBytes, file }: Download,
  upstream: Upstream,
  pace: Pace,
  { disk, clock }: DownloadWorld,
): Promise<Downloaded> {
  const maxBytes = sizeBytes + 1;
  let offset = disk.kind(file) === 'file' ? Math.min(disk.sizeBytes(file), sizeBytes) : 0;
  let digester = offset === 0 ? createDigester() : undefined;
  const came = (): Downloaded => (digester === undefined ? { is: 'rest' } : { is: 'whole', digest: digester.finish() });
  for (let restarts = 0; ;) {
    const span = pace.spanBytes();
    const end = offset + span >= sizeBytes ? maxBytes : offset + span;
    const opened = await upstream.open(path, offset, end, maxBytes);
    if (opened === undefined) return { is: 'absent' };
    if (opened.from !== offset) {
      // once it knows no ranges; who begins anew each time would have us download for ever
      restarts += 1;
      if (restarts > 1) return came();
      disk.remove(file);
      digester = createDigester();
    }
    const { written, isCut } = await append(file, opened, digester, pace, clock);
    offset = opened.from + written;
    if (isCut) continue;
    // it took no notice of the end that was asked for, or the file ends before
    if (offset !== end || end === maxBytes) return came();
  }
}

/** Writes pieces as they come. Whole files cannot be cut: a server that knows no ranges would begin anew. */
async function append(
  file: string,
  { pieces, isRange }: { readonly pieces: AsyncIterable<Uint8Array>; readonly isRange: boolean },
  digester: Digester | undefined,
  pace: Pace,
  clock: DownloadWorld['clock'],
): Promise<{ readonly written: number; readonly isCut: boolean }> {
  const flags = constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;
  const out = openSync(file, flags, 0o644);
  let written = 0;
  let told = 0;
  let isCut = false;
  let waitedFrom = clock.uptimeSeconds();
  const began = waitedFrom;
  const tell = async (): Promise<void> => {
    const bytes = written - told;
    told = written;
    const now = clock.uptimeSeconds();
    // what comes while somebody looks for news came over the same link in that time
    waitedFrom = now + (await pace.took(bytes, now - waitedFrom));
  };
  try {
    for await (const piece of pieces) {
      writeWhole(out, piece);
      digester?.update(piece);
      written += piece.length;
      if (clock.uptimeSeconds() - waitedFrom >= SPAN_SECONDS) await tell();
      isCut = isRange && clock.uptimeSeconds() - began > MAX_SPAN_SECONDS;
      if (isCut) break;
    }
    if (written > told) await tell();
    fsyncSync(out);
  } finally {
    closeSync(out);
  }
  return { written, isCut };
}

function writeWhole(file: number, bytes: Uint8Array): void {
  let offset = 0;
  while (offset < bytes.length) offset += writeSync(file, bytes, offset);
}
