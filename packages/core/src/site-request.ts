/**
 * A site's request for a record: its name and public key, its hardware if it likes, and a signature by that very key.
 *
 * The signature proves that whoever asks holds the private half. It says nothing about who that is: the registrar decides.
 */
import { base64, fromBase64 } from './bytes.js';
import { canonicalJson, type JsonObject, type JsonValue } from './canonical-json.js';
import { pae } from './dsse.js';
import { CoreError } from './errors.js';
import { LIMITS } from './limits.js';
import { SEALING_RECIPIENT } from './sealed-value.js';
import { restate } from './restate.js';
import { verifyP256 } from './p256.js';
import { keyIdOf, type Signer } from './signer.js';
import { parseStrictJson } from './strict-json.js';

/** What is signed is DSSE's encoding of this type and the canonical bytes of all other fields. */
const REQUEST_TYPE = 'application/vnd.sealane.site-request.v1+json';

/** A request whose proof of possession has been verified. `spki` is DER; `nonce` 32 hex digits, another one in each request. */
export interface SiteRequest {
  readonly name: string;
  readonly spki: Uint8Array;
  readonly keyId: string;
  readonly nonce: string;
  /** To whom secrets of this site are sealed (`age1…`); null: it opens none. */
  readonly recipient: string | null;
  /** CycloneDX inventory, unless the site left it out. */
  readonly hbom: JsonObject | null;
}

/** The bytes of a request file. */
export async function makeSiteRequest(
  input: Pick<SiteRequest, 'name' | 'nonce' | 'recipient' | 'hbom'>,
  signer: Signer,
): Promise<Uint8Array> {
  const { name, nonce, recipient, hbom } = input;
  const body = {
    apiVersion: 'sealane/v1',
    kind: 'SiteRequest',
    name,
    spki: base64(signer.spki),
    nonce,
    ...(recipient === null ? {} : { recipient }),
    ...(hbom === null ? {} : { hbom }),
  };
  const signature = base64(await signer.sign(pae(REQUEST_TYPE, canonicalJson(body))));
  return canonicalJson({ ...body, signature });
}

/**
 * Reads a request and verifies that its maker holds the key.
 *
 * @throws CoreError `REQUEST_MALFORMED` another shape, or the signature is not by the key in it; the `JSON_` codes
 */
export function readSiteRequest(bytes: Uint8Array): SiteRequest {
  const value = parseStrictJson(bytes, { maxBytes: LIMITS.siteRequestBytes, maxDepth: LIMITS.jsonDepth });
  const { signature, ...body } = asObject(value, 'a request');
  const { apiVersion, kind, name, spki, nonce, recipient, hbom, ...unknown } = body;
  if (apiVersion !== 'sealane/v1' || kind !== 'SiteRequest') throw malformed('apiVersion sealane/v1 and kind SiteRequest');
  if (Object.keys(unknown).length > 0) throw malformed(`no other fields, got ${JSON.stringify(Object.keys(unknown)[0]?.slice(0, 40))}`);
  if (typeof name !== 'string' || !/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/.test(name))
    throw malformed('a name of lower-case letters, digits, dots, dashes');
  if (typeof nonce !== 'string' || !/^[0-9a-f]{32}$/.test(nonce)) throw malformed('a nonce of 32 hex digits');
  if (recipient !== undefined && (typeof recipient !== 'string' || !SEALING_RECIPIENT.test(recipient)))
    throw malformed('a recipient of age, age1 and 58 characters');
  if (typeof spki !== 'string' || typeof signature !== 'string') throw malformed('spki and signature in base64');
  const [key, by] = restate(
    'REQUEST_MALFORMED',
    () => [fromBase64(spki), fromBase64(signature)],
    "read a site's request: expected spki and signature in base64",
  );
  if (!verifyP256(key, pae(REQUEST_TYPE, canonicalJson(body)), by)) throw malformed('a signature by the key in it');
  return {
    name,
    spki: key,
    keyId: keyIdOf(key),
    nonce,
    recipient: recipient ?? null,
    hbom: hbom === undefined ? null : asObject(hbom, 'hbom'),
  };
}

function asObject(value: JsonValue, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw malformed(`${what} as an object`);
}

function malformed(expected: string): CoreError {
  return new CoreError('REQUEST_MALFORMED', `read a site's request: expected ${expected}`);
}
