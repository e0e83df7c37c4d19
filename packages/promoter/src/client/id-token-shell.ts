/** The tokens by which a CI job is known: out of a file, out of the environment (GitLab's id_tokens), or asked of GitHub's runner. Never stored. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { collectBounded, PromoterError } from '@sealane/core';
import type { CommandIo } from '@sealane/core/command-line';
import { outbound } from '@sealane/oci/outbound';
import { request } from 'undici';

/** The runner answers at once, or it is not there. In milliseconds. */
const TIMEOUT_MS = 15_000;
/** A token is some KiB. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * The bearer token for the service at `address`. GitHub's runner is asked for one whose audience is the service's origin, or `SEALANE_AUDIENCE`.
 *
 * @throws PromoterError `CALLER_UNKNOWN` none is to be had; `CONFIG_INVALID` the file cannot be read; `SERVICE_UNREACHABLE` the runner did not answer
 */
export async function idToken({ env, cwd, signal }: CommandIo, address: string): Promise<string> {
  const { SEALANE_TOKEN_FILE: file, SEALANE_TOKEN: token } = env;
  if (file !== undefined && file !== '') return readToken(path.resolve(cwd, file));
  if (token !== undefined && token !== '') return token.trim();
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
  if (url !== undefined && bearer !== undefined)
    return await fromRunner(url, bearer, env['SEALANE_AUDIENCE'] ?? new URL(address).origin, signal);
  throw new PromoterError(
    'CALLER_UNKNOWN',
    `call ${address}: expected a token of this job, got none`,
    {},
    { hint: 'set SEALANE_TOKEN_FILE or SEALANE_TOKEN (GitLab: id_tokens), or give the GitHub job the permission id-token: write' },
  );
}

/** The audience that a Fulcio takes unless it is told otherwise. */
const SIGNING_AUDIENCE = 'sigstore';

/**
 * The token that says who signs keyless. GitHub's runner is asked for one whose audience is `sigstore`, or `SEALANE_ID_TOKEN_AUDIENCE`;
 * `SIGSTORE_ID_TOKEN` is the name that GitLab's documentation gives it.
 *
 * @throws PromoterError as `idToken`
 */
export async function signingToken({ env, cwd }: Pick<CommandIo, 'env' | 'cwd'>): Promise<string> {
  const { SEALANE_ID_TOKEN_FILE: file, SEALANE_ID_TOKEN, SIGSTORE_ID_TOKEN, SEALANE_ID_TOKEN_AUDIENCE: audience = SIGNING_AUDIENCE } = env;
  if (file !== undefined && file !== '') return readToken(path.resolve(cwd, file));
  const token = [SEALANE_ID_TOKEN, SIGSTORE_ID_TOKEN].find((text) => text !== undefined && text !== '');
  if (token !== undefined) return token.trim();
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
  if (url !== undefined && bearer !== undefined) return await fromRunner(url, bearer, audience, AbortSignal.timeout(TIMEOUT_MS));
  throw new PromoterError(
    'CALLER_UNKNOWN',
    'sign with oidc: expected a token that says who signs, got none',
    {},
    {
      hint: 'set SEALANE_ID_TOKEN_FILE or SEALANE_ID_TOKEN (GitLab: SIGSTORE_ID_TOKEN under id_tokens), or give the GitHub job the permission id-token: write',
    },
  );
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new PromoterError(
      'CONFIG_INVALID',
      `read token file ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { file },
      { cause },
    );
  }
}

async function fromRunner(url: string, bearer: string, audience: string, signal: AbortSignal): Promise<string> {
  const asked = new URL(url);
  asked.searchParams.set('audience', audience);
  const failed = (why: string, cause?: unknown): PromoterError =>
    new PromoterError(
      'SERVICE_UNREACHABLE',
      `ask the runner at ${asked.host} for a token: ${why}`,
      {},
      { cause, hint: 'give the job the permission id-token: write' },
    );
  let text: string;
  try {
    const answer = await request(asked, {
      dispatcher: outbound(),
      headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const tooMuch = (): PromoterError => failed(`expected an answer of at most ${MAX_ANSWER_BYTES} bytes, got more`);
    text = Buffer.from(await collectBounded(answer.body, MAX_ANSWER_BYTES, tooMuch)).toString('utf8');
    if (answer.statusCode !== 200) throw failed(`expected 200, got ${answer.statusCode}`);
  } catch (cause) {
    if (cause instanceof PromoterError) throw cause;
    throw failed(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const [, value] = /"value"\s*:\s*"([\w.-]+)"/.exec(text) ?? [];
  if (value === undefined) throw failed('expected a JSON object with a token as value');
  return value;
}
