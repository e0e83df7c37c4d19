/**
 * Releases, as authors signed them. The ledger keeps what anybody had logged as one; who asks which release a name stands for, or what one is called, reads
 * them here.
 */
import { type Digest, isDigest, PromoterError } from '@sealane/core';
import type { ReleaseRecord } from '@sealane/ledger';
import { isAuthorsWord } from '@sealane/trust';
import type { GateSource } from '../decision/gate-source.js';

export type ReleaseSource = Pick<GateSource, 'ledger' | 'lane'>;

/** A release, by what people call it. */
export interface NamedRelease {
  readonly digest: Digest;
  readonly name: string;
  readonly version: string;
}

/**
 * A release by digest or NAME@VERSION; a name is what an author of the lane gave.
 *
 * @throws PromoterError `RELEASE_UNKNOWN`, `DIGEST_MALFORMED`
 */
export async function releaseOf(source: ReleaseSource, text: string): Promise<NamedRelease> {
  // all of it: NAME@VERSION@MORE is no other name of NAME@VERSION
  const [, name = '', version] = /^([^@]*)@(.*)$/s.exec(text) ?? [];
  const [found] = isDigest(text)
    ? await releaseRecords(source, text)
    : version === undefined
      ? []
      : await releasesCalled(source, name, version);
  if (found !== undefined) return { digest: found.release, name: found.name, version: found.version };
  const isName = version !== undefined && !text.startsWith('sha256');
  if (!isDigest(text) && !isName)
    throw new PromoterError(
      'DIGEST_MALFORMED',
      `read release ${JSON.stringify(text.slice(0, 80))}: expected sha256: and 64 hex digits, or NAME@VERSION`,
      {},
      { hint: 'copy the digest, or name and version, from: sealane release list' },
    );
  const [another] = isName ? await source.ledger.releaseByName(name, version) : [];
  if (another !== undefined)
    throw new PromoterError(
      'RELEASE_UNKNOWN',
      `look up release ${text}: expected one by an author whom policy names, got ${another.release} by key ${another.keyId}`,
      { release: text },
      { hint: 'if that is the one, name it by its digest' },
    );
  throw new PromoterError('RELEASE_UNKNOWN', `look up release ${text}: there is no such release in the ledger`, { release: text });
}

/** What authors of the lane called so, in log order. */
export async function releasesCalled(source: ReleaseSource, name: string, version: string): Promise<readonly ReleaseRecord[]> {
  return byAuthors(source, await source.ledger.releaseByName(name, version));
}

/** What is said of a release, authors' words first: one whose author counts no more can still be looked up by its digest, and called back. */
async function releaseRecords(source: ReleaseSource, release: Digest): Promise<readonly ReleaseRecord[]> {
  const all = await source.ledger.releases(release);
  const authors = byAuthors(source, all);
  return [...authors, ...all.filter((row) => !authors.includes(row))];
}

/** Those that authors signed. */
export function byAuthors({ lane }: Pick<ReleaseSource, 'lane'>, rows: readonly ReleaseRecord[]): readonly ReleaseRecord[] {
  const policies = [...lane.stages.values()].map(({ policy }) => policy);
  return rows.filter((row) => isAuthorsWord(policies, row));
}
