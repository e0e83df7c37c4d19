/** A session with one registry: its address, logins, retries. What is asked and what the answers mean is the business of other files. */
import { OciError } from '@sealane/core';
import type { Dispatcher } from 'undici';
import { openDispatcher } from './outbound-shell.js';
import { isLoopback } from './reference.js';
import { answerChallenge, type RegistryCredentials } from './registry-auth.js';
import {
  DEFAULT_PATIENCE,
  exchange,
  type ExchangeAnswer,
  expectStatus,
  type Method,
  type Patience,
  safeTarget,
  type StreamedBody,
} from './registry-http.js';
import { pauseMs } from './registry-pause-shell.js';
import { DEFAULT_ATTEMPTS, DEFAULT_FIRST_PAUSE_MS, DEFAULT_LONGEST_PAUSE_MS, type Retries, withRetries } from './registry-retry.js';

/** How to talk to a registry. */
export interface RegistryOptions {
  /** Asked when a registry wants a login, with the names as in the reference; undefined means none. */
  readonly credentials?: (registry: string, repository: string) => Promise<RegistryCredentials | undefined>;
  /** What the session is for; a token is asked for no more (default: pull). */
  readonly access?: Access;
  readonly patience?: Patience;
  readonly retries?: Partial<Retries>;
  /** The default is a pool of the client's own, through the proxy that the environment names. */
  readonly dispatcher?: Dispatcher;
  readonly signal?: AbortSignal;
}
export type Access = 'pull' | 'pull,push';

/** One request. */
export interface RegistryRequest {
  readonly repository: string;
  /** Below `/v2/REPOSITORY/`, or where the registry itself sent us. */
  readonly target: string | URL;
  readonly method?: Method;
  /** The most that is read of the answer. */
  readonly maxBytes: number;
  readonly accept?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | StreamedBody;
  /** Statuses that are answers (default: 200); others are errors. */
  readonly expected?: readonly number[];
  /** Instead of the session's. */
  readonly access?: Access;
  /** Another repository that the request reads. */
  readonly alsoReads?: string;
  /** For requests that change something each time they arrive: a fault is the caller's. */
  readonly once?: true;
  /** Beside the session's own. */
  readonly until?: AbortSignal;
}

/** An open session. */
export interface Session {
  /** The registry's name, as in references. */
  readonly registry: string;
  readonly retries: Retries;
  readonly patience: Patience;
  /** Sends a request, logging in when asked to. @throws OciError `REGISTRY_DENIED`, `REGISTRY_UNAVAILABLE`, `CONTENT_MISSING`, `FETCH_TOO_SLOW` */
  send(request: RegistryRequest): Promise<ExchangeAnswer>;
  /** Where a `Location` of this registry leads. @throws OciError `REGISTRY_UNAVAILABLE` nowhere that requests may go */
  follow(location: string | undefined, doing: string): URL;
  close(): Promise<void>;
}

/** Docker's hub answers under another name than the one it is called by. */
const HUB = 'docker.io';
const HUB_HOST = 'registry-1.docker.io';
const CONNECT_TIMEOUT_MS = 10_000;

/** Opens a session; plain http for registries on this machine, https for all others. Nothing is sent yet. */
export function openSession(registry: string, options: RegistryOptions): Session {
  const base = new URL(`${isLoopback(registry) ? 'http' : 'https'}://${registry === HUB ? HUB_HOST : registry}`);
  const dispatcher = options.dispatcher ?? openDispatcher({ connect: { timeout: CONNECT_TIMEOUT_MS } });
  const { signal, patience = DEFAULT_PATIENCE, access = 'pull' } = options;
  const retries: Retries = {
    attempts: DEFAULT_ATTEMPTS,
    firstPauseMs: DEFAULT_FIRST_PAUSE_MS,
    longestPauseMs: DEFAULT_LONGEST_PAUSE_MS,
    pause: (ms) => pauseMs(ms, signal),
    ...options.retries,
  };
  // One login for each thing that it opens.
  const logins = new Map<string, string>();

  async function logIn(answer: ExchangeAnswer, repository: string, scopes: readonly string[]): Promise<void> {
    await answer.dump();
    const credentials = await options.credentials?.(registry, repository);
    const context = { registry: base, scopes, credentials, dispatcher, patience, signal };
    const login = await answerChallenge(answer.headers['www-authenticate'], context);
    if (login === undefined)
      throw new OciError('REGISTRY_DENIED', `log in to ${registry} for ${repository}: expected access, got 401 and no credentials for it`);
    logins.set(scopes.join(' '), login);
  }

  return {
    registry,
    retries,
    patience,
    send: async (request) => {
      const { repository, target, method = 'GET', expected, alsoReads, once, access: wanted = access, until, ...rest } = request;
      const ends = [signal, until].filter((end) => end !== undefined);
      const url = typeof target === 'string' ? new URL(`/v2/${repositoryOn(registry, repository)}/${target}`, base) : target;
      const scopes = [
        `repository:${repositoryOn(registry, repository)}:${wanted}`,
        ...(alsoReads === undefined ? [] : [`repository:${repositoryOn(registry, alsoReads)}:pull`]),
      ];
      // An upload may go to another host, and a redirect lead to one: who that is has no business with our login, nor may it ask for one.
      const isOwn = url.origin === base.origin;
      const send = async (): Promise<ExchangeAnswer> =>
        exchange(url, {
          ...rest,
          method,
          dispatcher,
          patience,
          signal: AbortSignal.any(ends),
          authorization: isOwn ? logins.get(scopes.join(' ')) : undefined,
        });
      const attempt = async (): Promise<ExchangeAnswer> => {
        const first = await send();
        if (first.status !== 401 || first.origin !== base.origin) return first;
        // A token may have run out meanwhile; a second 401 in a row is a refusal.
        await logIn(first, repository, scopes);
        return send();
      };
      return expectStatus(once === true ? await attempt() : await withRetries(attempt, retries), url, expected, method, 'why');
    },
    follow: (location, doing) => {
      const url = location === undefined ? undefined : safeTarget(base, location);
      if (url !== undefined) return url;
      throw new OciError(
        'REGISTRY_UNAVAILABLE',
        `${doing}: expected a Location to go on at, got ${location === undefined ? 'none' : 'one to elsewhere'}`,
      );
    },
    close: async () => {
      if (options.dispatcher === undefined) await dispatcher.destroy();
    },
  };
}

/** On Docker's hub a repository without a folder is an official one. */
const repositoryOn = (registry: string, repository: string): string =>
  registry === HUB && !repository.includes('/') ? `library/${repository}` : repository;
