/** A client of one registry (distribution-spec 1.1, pull only): manifests and blobs, every byte checked against its digest. */
import { type Digest, isDigest, OciError, sha256 } from '@sealane/core';
import { Agent, type Dispatcher } from 'undici';
import type { Descriptor } from './descriptor.js';
import { MAX_MANIFEST_BYTES } from './limits.js';
import { MANIFEST_TYPES } from './media-types.js';
import { isLoopback } from './reference.js';
import { answerChallenge, type RegistryCredentials } from './registry-auth.js';
import { DEFAULT_PATIENCE, expectOk, get, type GetResponse, type Patience, readBody } from './registry-http.js';
import { digestError, verifiedStream } from './verified-stream.js';

/** How to talk to a registry. */
export interface RegistryOptions {
  /** Asked when a registry wants a login, with its name as in the reference; undefined means none. */
  readonly credentials?: (registry: string) => Promise<RegistryCredentials | undefined>;
  readonly patience?: Patience;
  /** For proxies and own certificate authorities; the default is a pool of the client's own. */
  readonly dispatcher?: Dispatcher;
  readonly signal?: AbortSignal;
}

/** A registry, until `close`. */
export interface RegistryClient {
  /**
   * A manifest by digest (verified) or by tag (its digest is computed from the bytes, whatever the headers say).
   * `mediaType` is the server's word. @throws OciError `CONTENT_MISSING`, `CONTENT_DIGEST`, `CONTENT_LENGTH`, `REGISTRY_*`, `FETCH_TOO_SLOW`
   */
  manifest(repository: string, reference: Digest | string): Promise<{ bytes: Uint8Array; digest: Digest; mediaType: string | undefined }>;
  /** A blob, verified while it streams: what came before a failure is not to be kept. Errors as for `manifest`. */
  blob(repository: string, descriptor: Descriptor): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/** Docker's hub answers under another name than the one it is called by. */
const HUB = 'docker.io';
const HUB_HOST = 'registry-1.docker.io';
const CONNECT_TIMEOUT_MS = 10_000;

/** Opens a client; plain http for registries on this machine, https for all others. Nothing is sent yet. */
export function openRegistry(registry: string, options: RegistryOptions = {}): RegistryClient {
  const base = new URL(`${isLoopback(registry) ? 'http' : 'https'}://${registry === HUB ? HUB_HOST : registry}`);
  const dispatcher = options.dispatcher ?? new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS } });
  const patience = options.patience ?? DEFAULT_PATIENCE;
  const { signal } = options;
  // One login a repository: tokens are scoped to it.
  const logins = new Map<string, string>();

  async function fetchOk(repository: string, path: string, maxBytes: number, accept?: readonly string[]): Promise<GetResponse> {
    const url = new URL(`/v2/${repositoryOn(registry, repository)}/${path}`, base);
    const attempt = () =>
      get(url, { dispatcher, patience, maxBytes, signal, authorization: logins.get(repository), ...(accept !== undefined && { accept }) });
    const first = await attempt();
    if (first.status !== 401) return expectOk(first, url);
    await first.dump();
    const credentials = await options.credentials?.(registry);
    const context = { registry: base, repository: repositoryOn(registry, repository), credentials, dispatcher, patience, signal };
    const login = await answerChallenge(first.headers['www-authenticate'], context);
    if (login === undefined)
      throw new OciError('REGISTRY_DENIED', `pull ${repository} from ${registry}: expected access, got 401 and no credentials for it`);
    logins.set(repository, login);
    // A token may have run out meanwhile; a second 401 in a row is a refusal.
    return expectOk(await attempt(), url);
  }

  return {
    manifest: async (repository, reference) => {
      const response = await fetchOk(repository, `manifests/${reference}`, MAX_MANIFEST_BYTES, MANIFEST_TYPES);
      const name = `manifest ${registry}/${repository}@${reference}`;
      const bytes = await readBody(response, MAX_MANIFEST_BYTES, name);
      const digest = sha256(bytes);
      if (isDigest(reference) && digest !== reference) throw digestError(name, reference, digest);
      return { bytes, digest, mediaType: bareType(response.headers['content-type']) };
    },
    blob: async function* (repository, { digest, size }) {
      const response = await fetchOk(repository, `blobs/${digest}`, size);
      yield* verifiedStream(response.body, { name: `blob ${registry}/${repository}@${digest}`, digest, size });
    },
    close: async () => {
      if (options.dispatcher === undefined) await dispatcher.destroy();
    },
  };
}

/** On Docker's hub a repository without a folder is an official one. */
const repositoryOn = (registry: string, repository: string): string =>
  registry === HUB && !repository.includes('/') ? `library/${repository}` : repository;

/** `application/json; charset=utf-8` → `application/json`. */
const bareType = (header: string | readonly string[] | undefined): string | undefined =>
  typeof header === 'string' ? header.split(';')[0]?.trim() : undefined;
