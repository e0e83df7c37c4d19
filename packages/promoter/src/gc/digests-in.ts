/** Every digest that some text could name, whatever format it is of: what is kept must not depend on knowing each of them. */

/** 64 hex digits in a row, as all our formats and those of OCI write SHA-256. */
const HEX = /[0-9a-f]{64,}/g;
/** Base64 long enough to hold a digest: payloads in envelopes and bundles. */
const BASE64 = /[A-Za-z0-9+/]{88,}={0,2}/g;

/** Hex digests in `text`, and in what is in it as base64. Pure. */
export function digestsIn(text: string): ReadonlySet<string> {
  const inside = [...text.matchAll(BASE64)].map(([run]) => Buffer.from(run, 'base64').toString('latin1'));
  return new Set([text, ...inside].flatMap((each) => [...each.matchAll(HEX)].flatMap(([run]) => windows(run))));
}

/** A longer run is no digest of ours; each place in it that could be one counts all the same. */
function windows(run: string): readonly string[] {
  return Array.from({ length: Math.min(run.length - 63, 256) }, (_, at) => run.slice(at, at + 64));
}
