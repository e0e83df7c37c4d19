/** Logging in to a registry: basic, or a bearer token from the server that the registry names (distribution's token spec). */
import { OciError, utf8, base64 } from '@sealane/core';
import type { Dispatcher } from 'undici';
import { objectOf } from './descriptor.js';
import { MAX_TOKEN_BYTES } from './limits.js';
import { parseOciJson } from './manifest.js';
import { type Challenge, parseChallenges } from './registry-challenge.js';
import { exchange, type ExchangeAnswer, expectStatus, isSafeTarget, type Patience, readBody } from './registry-http.js';

/** A name and password or token; or what a server of tokens gave to be shown to it again, and to nobody else (Azure's, Docker's hub). */
export type RegistryCredentials = { readonly username: string; readonly password: string } | { readonly identityToken: string };

/** What logging in needs. */
export interface AuthContext {
  readonly registry: URL;
  /** What the token must open: `repository:NAME:ACTIONS`, one or several. */
  readonly scopes: readonly string[];
  readonly credentials: RegistryCredentials | undefined;
  readonly dispatcher: Dispatcher;
  readonly patience: Patience;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The `Authorization` value that answers a 401; undefined where there is nothing to answer with.
 *
 * @throws OciError `REGISTRY_DENIED` the token server refuses, or is no place to send credentials to
 */
export async function answerChallenge(header: string | readonly string[] | undefined, context: AuthContext): Promise<string | undefined> {
  const challenges = parseChallenges(typeof header === 'string' ? header : (header ?? []).join(', '));
  const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
  if (bearer !== undefined) return `Bearer ${await fetchToken(bearer, context)}`;
  const { credentials } = context;
  return challenges.some(({ scheme }) => scheme === 'basic') ? basic(credentials) : undefined;
}

async function fetchToken(challenge: Extract<Challenge, { scheme: 'bearer' }>, context: AuthContext): Promise<string> {
  const url = URL.canParse(challenge.realm) ? new URL(challenge.realm) : undefined;
  if (url === undefined || !isSafeTarget(context.registry, url)) {
    throw new OciError(
      'REGISTRY_DENIED',
      `log in to ${context.registry.host}: expected a token server at https, got ${JSON.stringify(challenge.realm.slice(0, 200))}`,
    );
  }
  // Ask for no more than we need, whatever the challenge would like.
  url.searchParams.delete('scope');
  const answer = await expectStatus(await askForToken(url, challenge.service, context), url);
  const document = objectOf(parseOciJson(await readBody(answer, MAX_TOKEN_BYTES, 'a token'), MAX_TOKEN_BYTES, 'token'), 'token');
  const token = document['token'] ?? document['access_token'];
  // RFC 6750, section 2.1: anything else in it could forge a header.
  if (typeof token !== 'string' || !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) {
    throw new OciError('REGISTRY_DENIED', `log in to ${context.registry.host}: expected a bearer token, got none that can be sent`);
  }
  return token;
}

/** distribution's token spec; with an identity token, its OAuth 2 way: in a body, which no redirect takes elsewhere. */
async function askForToken(
  url: URL,
  service: string | undefined,
  { scopes, credentials, dispatcher, patience, signal }: AuthContext,
): Promise<ExchangeAnswer> {
  const common = { dispatcher, patience, maxBytes: MAX_TOKEN_BYTES, signal };
  if (credentials !== undefined && 'identityToken' in credentials) {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'sealane', scope: scopes.join(' ') });
    if (service !== undefined) form.set('service', service);
    form.set('refresh_token', credentials.identityToken);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return await exchange(url, { ...common, method: 'POST', headers, body: utf8(form.toString()) });
  }
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  return await exchange(url, { ...common, authorization: basic(credentials) });
}

function basic(credentials: RegistryCredentials | undefined): string | undefined {
  if (credentials === undefined || 'identityToken' in credentials) return undefined;
  return `Basic ${base64(utf8(`${credentials.username}:${credentials.password}`))}`;
}
