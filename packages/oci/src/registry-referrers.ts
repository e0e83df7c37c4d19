/** What refers to a manifest (distribution-spec 1.1): by the referrers API, or by the index under the tag `sha256-HEX` where there is none. */
import type { Digest } from '@sealane/core';
import { type Descriptor, malformed } from './descriptor.js';
import { MAX_MANIFEST_BYTES } from './limits.js';
import { OCI_INDEX } from './media-types.js';
import { emptyReferrers, parseReferrers, type ReferrersList, referrersTag } from './referrers-list.js';
import { type ExchangeAnswer, readBody } from './registry-http.js';
import type { Session } from './registry-session.js';

/** What refers to a manifest. Where the registry does not keep the list itself, `document` is the one that writers keep, as it is. */
export type ListedReferrers =
  { readonly keptBy: 'registry'; readonly referrers: readonly Descriptor[] } | ({ readonly keptBy: 'writers' } & ReferrersList);

/** Pages of one list: no honest image has more referrers than fit into them. */
const MAX_PAGES = 16;
/** How registries without the API say so. */
const NO_API: readonly number[] = [400, 404, 405, 406, 501];

/**
 * Lists what refers to `subject`.
 *
 * @throws OciError `CONTENT_MALFORMED`, `CONTENT_LENGTH` no list or too long a one; `REGISTRY_*`, `FETCH_TOO_SLOW`
 */
export async function listReferrers(session: Session, repository: string, subject: Digest): Promise<ListedReferrers> {
  const name = `${session.registry}/${repository}@${subject}`;
  const kept = await listPages(session, repository, subject);
  if (kept !== undefined) return { keptBy: 'registry', referrers: kept };
  const target = `manifests/${referrersTag(subject)}`;
  const answer = await session.send({ repository, target, maxBytes: MAX_MANIFEST_BYTES, accept: [OCI_INDEX], expected: [200, 404] });
  if (answer.status === 200) return { keptBy: 'writers', ...(await readAnswer(answer, name)) };
  await answer.dump();
  return { keptBy: 'writers', ...emptyReferrers() };
}

/** The list of the API, all of its pages; undefined where there is no API. */
async function listPages(session: Session, repository: string, subject: Digest): Promise<readonly Descriptor[] | undefined> {
  const name = `${session.registry}/${repository}@${subject}`;
  const found: Descriptor[] = [];
  let target: string | URL = `referrers/${subject}`;
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const expected: readonly number[] = page === 1 ? [200, ...NO_API] : [200];
    const answer: ExchangeAnswer = await session.send({ repository, target, maxBytes: MAX_MANIFEST_BYTES, accept: [OCI_INDEX], expected });
    if (answer.status !== 200 || !String(answer.headers['content-type']).startsWith(OCI_INDEX)) {
      await answer.dump();
      return undefined;
    }
    const { link } = answer.headers;
    found.push(...(await readAnswer(answer, name)).referrers);
    const next = /^<([^>]{1,2048})>;\s*rel="?next"?/.exec(typeof link === 'string' ? link : '')?.[1];
    if (next === undefined) return found;
    target = session.follow(next, `list what refers to ${name}`);
  }
  throw malformed(`list what refers to ${name}`, `at most ${MAX_PAGES} pages`, 'more');
}

async function readAnswer(answer: ExchangeAnswer, subject: string): Promise<ReferrersList> {
  return parseReferrers(await readBody(answer, MAX_MANIFEST_BYTES, `what refers to ${subject}`), subject);
}
