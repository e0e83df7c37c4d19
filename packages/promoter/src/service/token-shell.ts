/** OIDC bearer tokens: verified against the issuer's keys, fetched and kept for a bounded time. */
import { collectBounded, type Digest, sha256, utf8 } from '@sealane/core';
import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { outbound } from '@sealane/oci/outbound';
import { request } from 'undici';
import { callerByClaims, type Found } from './callers.js';
import type { IssuerRule, ServiceConfig } from './service-file.js';

/** Real tokens of CI are 1–3 KiB. Measured before anything is parsed. */
const MAX_TOKEN_BYTES = 16 * 1024;
/** A key set is a few KiB. */
const MAX_JWKS_BYTES = 256 * 1024;
/** An issuer that has not answered after this is down. In milliseconds. */
const JWKS_TIMEOUT_MS = 5000;
/** Strangers can make up key ids: the issuer is asked again at most this often. In milliseconds. */
const JWKS_COOLDOWN_MS = 30_000;
/** How far the issuer's clock may be from ours. In seconds. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** Tokens that are remembered, each by its hash: a caller asks often with one. */
const MAX_VERIFIED = 1000;

/** Finds the caller that a token names. */
export type TokenCheck = (token: string) => Promise<Found>;

/** The keys of an issuer, and how often it was begun to fetch them, and ended. */
interface IssuerKeys {
  readonly find: ReturnType<typeof createRemoteJWKSet>;
  readonly fetched: () => number;
}

/** A caller whose token was verified: it need not be again while the keys that it was verified by are the issuer's as far as we may believe, and it lasts. */
interface Verified {
  readonly found: Found;
  readonly keys: IssuerKeys;
  readonly fetched: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

function stands({ keys, fetched, fromMs, untilMs }: Verified, nowMs: number): boolean {
  return keys.find.fresh && keys.fetched() === fetched && nowMs >= fromMs && nowMs < untilMs;
}

/** A check over the issuers and callers of a service; keys are fetched when the first token of an issuer comes. */
export function tokenCheck(config: ServiceConfig): TokenCheck {
  const issuers = new Map(config.issuers.map((rule) => [rule.issuer, { rule, keys: remoteKeys(rule) }]));
  const verified = new Map<Digest, Verified>();
  return async (token) => {
    if (token.length > MAX_TOKEN_BYTES) return { reason: `token: expected at most ${MAX_TOKEN_BYTES} bytes, got ${token.length}` };
    const [name, nowMs] = [sha256(utf8(token)), Date.now()];
    const before = verified.get(name);
    if (before !== undefined && stands(before, nowMs)) return before.found;
    verified.delete(name);
    const issuer = claimedIssuer(token);
    const known = issuer === undefined ? undefined : issuers.get(issuer);
    if (known === undefined)
      return { reason: `token: expected one of a known issuer, got ${JSON.stringify(issuer?.slice(0, 200) ?? null)}` };
    try {
      const fetched = known.keys.fetched();
      const claims = await verifiedClaims(token, known.rule, known.keys.find);
      const found = callerByClaims(config, known.rule.issuer, claims);
      // what is refused is looked at anew each time
      if ('caller' in found && typeof claims['exp'] === 'number' && known.keys.fetched() === fetched) {
        const [oldest] = verified.keys();
        if (verified.size >= MAX_VERIFIED && oldest !== undefined) verified.delete(oldest);
        verified.set(name, { found, keys: known.keys, fetched, fromMs: nowMs, untilMs: claims['exp'] * 1000 });
      }
      return found;
    } catch (error) {
      // jose's refusals, and an issuer that cannot be reached: nobody is known then
      if (error instanceof errors.JOSEError) return { reason: `token of ${known.rule.issuer}: ${error.code}: ${error.message}` };
      if (error instanceof Error) return { reason: `token of ${known.rule.issuer}: ${error.message}` };
      throw error;
    }
  };
}

async function verifiedClaims(token: string, rule: IssuerRule, keys: JWTVerifyGetKey): Promise<Readonly<Record<string, unknown>>> {
  const { payload } = await jwtVerify(token, keys, {
    issuer: rule.issuer,
    audience: rule.audience,
    algorithms: rule.algorithms,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['iss', 'aud', 'exp', 'iat', 'sub'],
  });
  // RFC 7519 lets a token be for several; one that is for others too may be used here by any of them
  if (payload.aud !== rule.audience && !(Array.isArray(payload.aud) && payload.aud.length === 1))
    throw new errors.JWTClaimValidationFailed('expected one audience', payload, 'aud', 'check_failed');
  return payload;
}

/** The issuer that a token says it is from: which keys to try, and nothing else, depends on it. */
function claimedIssuer(token: string): string | undefined {
  const [, body = ''] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
  try {
    const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    const issuer: unknown = typeof claims === 'object' && claims !== null && 'iss' in claims ? claims.iss : undefined;
    return typeof issuer === 'string' ? issuer : undefined;
  } catch (error) {
    // not JSON: no token
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function remoteKeys({ jwks, keysMaxAgeSeconds }: IssuerRule): IssuerKeys {
  let fetched = 0;
  const find = createRemoteJWKSet(new URL(jwks), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: keysMaxAgeSeconds * 1000,
    [customFetch]: async (url, options) => {
      fetched += 1;
      try {
        return await fetchKeys(url, options);
      } finally {
        fetched += 1;
      }
    },
  });
  return { find, fetched: () => fetched };
}

/** Redirects are not followed: the keys are where the owner of the service says they are. */
async function fetchKeys(url: string, { signal }: { readonly signal: AbortSignal }): Promise<Response> {
  const answer = await request(url, { dispatcher: outbound(), signal, headers: { accept: 'application/json' } });
  const tooMuch = (): Error => new Error(`read the keys at ${url}: expected at most ${MAX_JWKS_BYTES} bytes`);
  return new Response(Buffer.from(await collectBounded(answer.body, MAX_JWKS_BYTES, tooMuch)), { status: answer.statusCode });
}
