/** What a site's `fetch` measured of its links while it brought a release: a claim of a process that nobody believes, kept within bounds and judged by no gate. */
import { z } from 'zod';

/** Most that is said of one kind of upstream; a larger number is one of another unit. */
const MAX_REQUESTS = 1_000_000_000;
const MAX_BULK_BYTES = 2 ** 50;
const MAX_BULK_MS = 366 * 86_400_000;
const MAX_FIRST_BYTE_MS = 3_600_000;

/** How an upstream is reached. */
export const LINK_KINDS = ['https', 'http', 'folder'] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

/**
 * Of all upstreams of one kind. `unanswered` = requests that got no whole answer: refused, silent, broken off, dripping; no share of lost packets, which a
 * program does not see. `firstByteMs` = median time from a small request on an open connection to the first byte of its answer, the server's part
 * included. `bulkBytes` in `bulkMs` = content of 16 KiB and more at once, without waits for the site's own limits.
 */
export type MeasuredLink = {
  readonly over: LinkKind;
  readonly requests: number;
  readonly unanswered: number;
  readonly firstByteMs?: number;
  readonly bulkBytes: number;
  readonly bulkMs: number;
};

/** Zod's shape of it. */
export const measuredLinkShape = z.strictObject({
  over: z.enum(LINK_KINDS),
  requests: z.int().min(1).max(MAX_REQUESTS),
  unanswered: z.int().min(0).max(MAX_REQUESTS),
  firstByteMs: z.int().min(0).max(MAX_FIRST_BYTE_MS).exactOptional(),
  bulkBytes: z.int().min(0).max(MAX_BULK_BYTES),
  bulkMs: z.int().min(0).max(MAX_BULK_MS),
});
