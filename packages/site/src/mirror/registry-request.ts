/** What a request asks of a read-only OCI registry (distribution-spec 1.1, "Pull"), by method and path alone. Pure. */
import { type Digest, isDigest } from '@sealane/core';

/** A request that can be answered, or why it is refused. */
export type RegistryRequest =
  { readonly is: 'version' } | { readonly is: 'manifest' | 'blob'; readonly digest: Digest } | ({ readonly is: 'refused' } & Refusal);

/** An HTTP status with an error code of distribution-spec, "Error codes". */
export interface Refusal {
  readonly status: 400 | 404 | 405;
  readonly code: 'UNSUPPORTED' | 'NAME_INVALID' | 'DIGEST_INVALID' | 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN' | 'NAME_UNKNOWN';
  readonly message: string;
}

/** distribution-spec, "Pulling manifests": `<name>`. */
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const MAX_NAME_LENGTH = 255;
/** A name, a word and a digest; what is longer is no path of a registry. */
const MAX_TARGET_LENGTH = 1024;

/**
 * Reads a request line. Content is named by digest, so the repository's name chooses nothing; tags, which could stand for other bytes tomorrow, are
 * never resolved here.
 */
export function registryRequest(method: string, target: string): RegistryRequest {
  if (method !== 'GET' && method !== 'HEAD') return refused(405, 'UNSUPPORTED', 'this mirror is read-only');
  if (target.length > MAX_TARGET_LENGTH) return refused(400, 'NAME_INVALID', `expected a path of at most ${MAX_TARGET_LENGTH} characters`);
  // a mirror is asked with ?ns=REGISTRY by containerd: content is the same whoever named it
  const path = target.split('?', 1)[0] ?? '';
  if (path === '/v2' || path === '/v2/') return { is: 'version' };
  const [, name = '', what, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
  if (what === undefined) return refused(404, 'NAME_UNKNOWN', 'expected /v2/NAME/manifests/DIGEST or /v2/NAME/blobs/DIGEST');
  if (name.length > MAX_NAME_LENGTH || !NAME.test(name)) return refused(400, 'NAME_INVALID', 'expected a repository name');
  if (isDigest(reference)) return { is: what === 'manifests' ? 'manifest' : 'blob', digest: reference };
  return what === 'blobs'
    ? refused(400, 'DIGEST_INVALID', 'expected sha256: and 64 hex digits')
    : refused(404, 'MANIFEST_UNKNOWN', 'this mirror serves digests, never tags');
}

/** Bytes of a blob, the first and the last one included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The one range of a `Range` header (RFC 9110 § 14): undefined where the whole is meant (none, several, another unit, malformed),
 * `'unsatisfiable'` where it begins beyond the end.
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') return size === 0 || Number(last) === 0 ? 'unsatisfiable' : { start: Math.max(0, size - Number(last)), end: size - 1 };
  if (last !== '' && Number(last) < Number(first)) return undefined;
  if (Number(first) >= size) return 'unsatisfiable';
  return { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

function refused(status: Refusal['status'], code: Refusal['code'], message: string): RegistryRequest {
  return { is: 'refused', status, code, message };
}
