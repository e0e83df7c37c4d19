/** Image references as the command line takes them (REF): parsed into a typed value, printed back the same. */
import { type Digest, OciError, isDigest } from '@sealane/core';

/** `docker://HOST[:PORT]/REPOSITORY@DIGEST` or `…:TAG`. */
export interface DockerReference {
  readonly kind: 'docker';
  readonly registry: string;
  readonly repository: string;
  /** A digest, or a tag that is resolved once, recorded, and never used again. */
  readonly wanted: Digest | string;
}
/** `oci:DIR` or `oci-archive:FILE`, with `@DIGEST` or `:TAG` where there are several images. */
export interface LocalReference {
  readonly kind: 'oci' | 'oci-archive';
  readonly path: string;
  readonly digest?: Digest;
  readonly tag?: string;
}
export type Reference = DockerReference | LocalReference;

/** distribution-spec 1.1, "Pulling manifests". */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** A host name, an IPv4 address or a bracketed IPv6 address, and a port. */
const REGISTRY = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?$/;
const MAX_REFERENCE_LENGTH = 4096;
/** distribution-spec: repository and host together stay below 256 characters. */
const MAX_REPOSITORY_LENGTH = 255;

/**
 * Parses a REF.
 *
 * @throws OciError `REFERENCE_MALFORMED`
 */
export function parseReference(text: string): Reference {
  if (text.length > MAX_REFERENCE_LENGTH) throw wrong(text, `at most ${MAX_REFERENCE_LENGTH} characters`);
  // A NUL cuts a path short for the system calls; controls forge lines in a log.
  if (Array.from(text).some((character) => character < ' ')) throw wrong(text, 'no control character');
  if (text.startsWith('docker://')) return dockerReference(text, text.slice('docker://'.length));
  if (text.startsWith('oci-archive:')) return localReference('oci-archive', text, text.slice('oci-archive:'.length));
  if (text.startsWith('oci:')) return localReference('oci', text, text.slice('oci:'.length));
  throw wrong(text, 'docker://HOST/REPO@DIGEST, oci:DIR@DIGEST or oci-archive:FILE');
}

/** A repository of a registry, as a place to copy to. */
export type RepositoryName = Pick<DockerReference, 'registry' | 'repository'>;

/**
 * Parses `docker://HOST[:PORT]/REPOSITORY`, without digest or tag.
 *
 * @throws OciError `REFERENCE_MALFORMED`
 */
export function parseRepository(text: string): RepositoryName {
  const [, rest = ''] = /^docker:\/\/([\x21-\x7e]{1,512})$/.exec(text) ?? [];
  if (rest === '' || rest.includes('@') || tagColon(rest) !== -1) throw wrong(text, 'docker://HOST/REPOSITORY, without digest or tag');
  return splitRepository(text, rest);
}

/** The text of a reference; `parseReference` of it gives the same value. */
export function formatReference(reference: Reference): string {
  if (reference.kind === 'docker') {
    const { registry, repository, wanted } = reference;
    return `docker://${registry}/${repository}${isDigest(wanted) ? '@' : ':'}${wanted}`;
  }
  const { kind, path, digest, tag } = reference;
  if (digest !== undefined) return `${kind}:${path}@${digest}`;
  return tag === undefined ? `${kind}:${path}` : `${kind}:${path}:${tag}`;
}

/** Whether a host is this machine, so that plain HTTP to it passes no network. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:[0-9]{1,5}$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || /^127(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}$/.test(name);
}

/** Whether a URL's host name leads to this machine in any spelling: unlike `isLoopback`, for what is refused because of it. */
export function isThisMachine(hostname: string): boolean {
  // a URL has every number of an address in one form; what is left are names, and addresses that mean the same
  const name = hostname.toLowerCase().replace(/\.$/, '');
  const isMapped = /^\[::ffff:(?:7f[0-9a-f]{2}:[0-9a-f]{1,4}|0:0)\]$/.test(name);
  return isLoopback(name) || name.endsWith('.localhost') || name === '0.0.0.0' || name === '[::]' || isMapped;
}

function dockerReference(text: string, rest: string): DockerReference {
  const { place, selector } = splitSelector(text, rest);
  const wanted = selector.digest ?? selector.tag;
  const name = splitRepository(text, place);
  if (wanted === undefined) throw wrong(text, 'a digest or a tag: latest is never implied');
  return { kind: 'docker', ...name, wanted };
}

function splitRepository(text: string, place: string): RepositoryName {
  const slash = place.indexOf('/');
  const registry = place.slice(0, Math.max(slash, 0));
  // Without a host Docker would mean its own hub; a release must say where from.
  if (slash === -1 || !REGISTRY.test(registry) || !(registry.includes('.') || registry.includes(':') || registry === 'localhost')) {
    throw wrong(text, 'a registry host with a dot or a port');
  }
  const repository = place.slice(slash + 1);
  if (repository.length > MAX_REPOSITORY_LENGTH || !REPOSITORY.test(repository)) throw wrong(text, 'a repository in lower case');
  return { registry, repository };
}

function localReference(kind: 'oci' | 'oci-archive', text: string, rest: string): LocalReference {
  const { place: path, selector } = splitSelector(text, rest);
  if (path === '') throw wrong(text, 'a path');
  return { kind, path, ...selector };
}

/** Splits off `@DIGEST`, else `:TAG` after the last slash. */
function splitSelector(text: string, rest: string): { place: string; selector: Pick<LocalReference, 'digest' | 'tag'> } {
  const at = rest.lastIndexOf('@');
  if (at !== -1) {
    const digest = rest.slice(at + 1);
    const place = rest.slice(0, at);
    if (!isDigest(digest)) throw wrong(text, 'sha256: and 64 lower-case hex digits after the @');
    // `repo:tag@digest` names two things that can disagree
    if (tagColon(place) !== -1) throw wrong(text, 'a digest or a tag, not both');
    return { place, selector: { digest } };
  }
  const colon = tagColon(rest);
  if (colon === -1) return { place: rest, selector: {} };
  const tag = rest.slice(colon + 1);
  if (!TAG.test(tag)) throw wrong(text, 'a tag of letters, digits, dots, dashes and underscores');
  return { place: rest.slice(0, colon), selector: { tag } };
}

const tagColon = (place: string): number => {
  const colon = place.lastIndexOf(':');
  return colon > place.lastIndexOf('/') ? colon : -1;
};

function wrong(text: string, expected: string): OciError {
  return new OciError('REFERENCE_MALFORMED', `read reference ${JSON.stringify(text.slice(0, 200))}: expected ${expected}`);
}
