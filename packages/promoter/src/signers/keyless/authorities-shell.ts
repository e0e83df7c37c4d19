/** The two authorities of keyless signatures, over HTTP: Fulcio's API v2 for a certificate, RFC 3161 for a timestamp. */
import { base64, collectBounded, LIMITS, parseStrictJson, PromoterError, SealaneError } from '@sealane/core';
import { outbound } from '@sealane/oci/outbound';
import { request } from 'undici';
import { z } from 'zod';

/** An authority answers within seconds, or it is not there. In milliseconds. */
const TIMEOUT_MS = 30_000;
/** A chain of certificates is some KiB, a timestamp two. */
const MAX_ANSWER_BYTES = 256 * 1024;

const chain = z.looseObject({ chain: z.looseObject({ certificates: z.array(z.string()).min(1) }) });
/** Fulcio with a CT log answers the first, without one the second. */
const answerShape = z.union([
  z.looseObject({ signedCertificateEmbeddedSct: chain }).transform((answer) => answer.signedCertificateEmbeddedSct),
  z.looseObject({ signedCertificateDetachedSct: chain }).transform((answer) => answer.signedCertificateDetachedSct),
]);

/**
 * A certificate (PEM) for a certificate request (DER), issued to whom the token says.
 *
 * @throws PromoterError `KEY_UNAVAILABLE` the authority did not answer, refused, or answered with something else
 */
export async function askCertificate(url: string, asking: Uint8Array, token: string): Promise<string> {
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${base64(asking)}\n-----END CERTIFICATE REQUEST-----\n`;
  const body = { credentials: { oidcIdentityToken: token }, certificateSigningRequest: Buffer.from(pem).toString('base64') };
  const asked = new URL('api/v2/signingCert', url.endsWith('/') ? url : `${url}/`);
  const bytes = await ask(asked, 'application/json', Buffer.from(JSON.stringify(body)));
  const parsed = answerShape.safeParse(jsonOf(asked, bytes));
  const certificate = parsed.data?.chain.certificates[0];
  if (certificate === undefined) throw unavailable(asked, 'expected a chain of certificates, got none');
  return certificate;
}

/** A timestamp response (DER) for a timestamp request (DER). @throws PromoterError `KEY_UNAVAILABLE` */
export async function askTimestamp(url: string, query: Uint8Array): Promise<Uint8Array> {
  return await ask(new URL(url), 'application/timestamp-query', query);
}

async function ask(url: URL, contentType: string, body: Uint8Array): Promise<Uint8Array> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await request(url, { dispatcher: outbound(), method: 'POST', headers: { 'content-type': contentType }, body, signal });
    const tooMuch = (): PromoterError => unavailable(url, `expected at most ${MAX_ANSWER_BYTES} bytes, got more`);
    const bytes = await collectBounded(answer.body, MAX_ANSWER_BYTES, tooMuch);
    if (answer.statusCode < 200 || answer.statusCode > 299)
      throw unavailable(url, `expected success, got ${answer.statusCode}: ${printable(bytes)}`);
    return bytes;
  } catch (cause) {
    if (cause instanceof PromoterError) throw cause;
    throw unavailable(url, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function jsonOf(url: URL, bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes, { maxBytes: MAX_ANSWER_BYTES, maxDepth: LIMITS.jsonDepth });
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    throw unavailable(url, cause.message, cause);
  }
}

/** What an authority says of a refusal, on one line; the token is not in it. */
function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .slice(0, 300);
}

function unavailable({ origin, pathname }: URL, why: string, cause?: unknown): PromoterError {
  return new PromoterError('KEY_UNAVAILABLE', `ask authority ${origin}${pathname}: ${why}`, {}, { cause });
}
