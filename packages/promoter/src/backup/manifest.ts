/** `backup.json`, the first file of a backup: what it is of, and every other file with size and digest. */
import { canonicalJson, type Digest, equalBytes, isDigest, LIMITS, parseStrictJson, PromoterError } from '@sealane/core';
import { z } from 'zod';

/** The name of the manifest. It sorts before all others, so that a reader of the stream knows what must come. */
export const MANIFEST_NAME = 'backup.json';
/** A million files of 200 bytes each: beyond any lane of one host. */
export const MAX_MANIFEST_BYTES = 200 * 1024 * 1024;
const MAX_FILES = 1_000_000;
const MAX_NAME = 512;
const MAX_DEPTH = 4;
/** Where a home keeps what a backup holds; nothing else is laid down. */
const NAME =
  /^(?:pipeline\.yaml|service\.yaml|log\.vkey|proposal\.json|ca\/chain\.pem|ledger\/ledger\.sqlite(?:\.anchor)?|ledger\/records\.anchor|ledger\/archive\.json|(?:keys|owners|proposals|lane\/(?:trust|content|log|records))(?:\/[A-Za-z0-9_@=+%,-][A-Za-z0-9_.@=+%,-]*)+)$/;

const nameShape = z.string().max(MAX_NAME).regex(NAME);

/** Zod's shape of a manifest. */
export const backupShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Backup'),
  madeAt: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  madeBy: z.string().min(1).max(64),
  origin: z.string().min(1).max(253),
  size: z.int().min(0),
  checkpoint: z.string().max(LIMITS.checkpointBytes).nullable(),
  ledger: z.enum(['sqlite', 'postgresql']),
  leftOut: z.array(nameShape).max(MAX_FILES),
  files: z
    .array(z.strictObject({ name: nameShape, size: z.int().min(0), digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) }))
    .min(1)
    .max(MAX_FILES),
});

/** A file of a backup; `size` in bytes. */
export type BackupFile = { readonly name: string; readonly size: number; readonly digest: Digest };

/** What a backup says of itself. `size` counts the log's entries, `checkpoint` is the one that was published, `ledger` where it was kept. */
export type BackupManifest = {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'Backup';
  readonly madeAt: string;
  readonly madeBy: string;
  readonly origin: string;
  readonly size: number;
  readonly checkpoint: string | null;
  readonly ledger: 'sqlite' | 'postgresql';
  /** Private keys that are not in it. */
  readonly leftOut: readonly string[];
  /** By name, in the order in which they follow. */
  readonly files: readonly BackupFile[];
};

/** The bytes of a manifest. @throws PromoterError `BACKUP_MALFORMED` a home with a name that could not be restored */
export function encodeManifest(manifest: BackupManifest): Uint8Array {
  const bytes = canonicalJson(manifest);
  parseManifest(bytes);
  return bytes;
}

/**
 * Parses a manifest.
 *
 * @throws PromoterError `BACKUP_MALFORMED` another shape, not canonical, names out of order, twice, or one below another; CoreError `JSON_*`
 */
export function parseManifest(bytes: Uint8Array): BackupManifest {
  const json = parseStrictJson(bytes, { maxBytes: MAX_MANIFEST_BYTES, maxDepth: MAX_DEPTH });
  const parsed = backupShape.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`a manifest: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, 'another');
  }
  if (!equalBytes(canonicalJson(json), bytes)) throw malformed('canonical JSON', 'another spelling');
  const files = parsed.data.files.map(({ digest, ...rest }) => {
    if (!isDigest(digest)) throw malformed('a digest', digest);
    return { ...rest, digest };
  });
  expectOrder(files);
  return { ...parsed.data, files };
}

/** A sorted list has a name twice, or a file where others need a folder, only side by side but for what sorts between `a` and `a/`. */
function expectOrder(files: readonly BackupFile[]): void {
  const names = new Set(files.map(({ name }) => name));
  for (const [at, { name }] of files.entries()) {
    const before = files[at - 1]?.name;
    if (before !== undefined && byBytes(before, name) >= 0) throw malformed('files by name, each once', `${name} after ${before}`);
    const parents = name.split('/').slice(0, -1);
    const taken = parents.map((_, depth) => parents.slice(0, depth + 1).join('/')).find((parent) => names.has(parent));
    if (taken !== undefined) throw malformed(`a folder ${taken}`, 'a file of that name');
  }
}

/** The order of names in a backup: by their bytes, which are ASCII. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The refusal of what is no backup, or not the one that was made. */
export function malformed(expected: string, got: string, cause?: unknown): PromoterError {
  return new PromoterError('BACKUP_MALFORMED', `read a backup: expected ${expected}, got ${got}`, {}, cause === undefined ? {} : { cause });
}
