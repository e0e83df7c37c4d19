/** `manifest.json` of an export: what it is about, and which part of which log it holds. */
import { AuditorError, canonicalJson, type Digest, equalBytes, isDigest, parseStrictJson } from '@sealane/core';
import { z } from 'zod';

/** How the files that are made from statements are written. A later program writes them otherwise and then counts up; what is signed stays. */
const LAYOUT = 1;
/** A release of some hundred reports that are all gone. */
const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 8;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

/** Zod's shape of a manifest. */
export const exportShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Export'),
  layout: z.literal(LAYOUT),
  origin: z.string().min(1).max(253),
  size: z.int().min(1),
  release: digest.nullable(),
  site: z.string().min(1).max(64).nullable(),
  period: z.strictObject({ from: time, to: time, first: z.int().min(0) }).nullable(),
  missing: z.array(digest).max(10_000),
});

/** Exactly one of release, site and period is given. */
export interface ExportSubject {
  readonly release: Digest | null;
  readonly site: string | null;
  /** Every entry from `first` on: all that the log took in between two times, by what witnesses saw. */
  readonly period: { readonly from: string; readonly to: string; readonly first: number } | null;
}

export interface ExportManifest extends ExportSubject {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'Export';
  readonly layout: typeof LAYOUT;
  /** Of the log, whose first `size` entries the checkpoint is of. */
  readonly origin: string;
  readonly size: number;
  /** Reports and inventories that statements name, and manifests of releases and images, that were not there. */
  readonly missing: readonly Digest[];
}

/** A manifest of the layout that is written now. */
export function makeManifest(fields: Omit<ExportManifest, 'apiVersion' | 'kind' | 'layout'>): ExportManifest {
  return { apiVersion: 'sealane/v1', kind: 'Export', layout: LAYOUT, ...fields };
}

/** Its bytes: RFC 8785. */
export function encodeExportManifest(manifest: ExportManifest): Uint8Array {
  return canonicalJson({ ...manifest });
}

/** @throws AuditorError `EXPORT_MALFORMED`; CoreError `JSON_*` */
export function parseExportManifest(bytes: Uint8Array): ExportManifest {
  const json = parseStrictJson(bytes, { maxBytes: MAX_BYTES, maxDepth: MAX_DEPTH });
  const parsed = exportShape.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`a manifest: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, 'another');
  }
  if (!equalBytes(canonicalJson(json), bytes)) throw malformed('a manifest in canonical JSON', 'another spelling');
  const { release, missing, ...rest } = parsed.data;
  if ([release, rest.site, rest.period].filter((part) => part !== null).length !== 1)
    throw malformed('a manifest of a release, a site or a period', 'none or more than one');
  return { ...rest, release: release === null ? null : asDigest(release), missing: missing.map(asDigest) };
}

function asDigest(text: string): Digest {
  if (!isDigest(text)) throw malformed('a digest', text);
  return text;
}

/** The refusal of what is no export. */
export function malformed(expected: string, got: string, cause?: unknown): AuditorError {
  return new AuditorError('EXPORT_MALFORMED', `read an export: expected ${expected}, got ${got}`, {}, cause === undefined ? {} : { cause });
}
