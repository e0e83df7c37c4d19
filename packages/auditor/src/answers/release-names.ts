/** Names of releases as their authors signed them: the ledger's index only says where. */
import type { Digest } from '@sealane/core';
import { FACT } from './fact-kinds.js';
import { factsIn, releaseOf } from './facts.js';
import type { Inquiry } from './inquiry.js';

/** A release by name; null where nobody whom policy names gave it one. */
export interface ReleaseName {
  readonly name: string | null;
  readonly version: string | null;
}

/** The names of releases, each author's statement verified and cited. A release's name is no news of a time: it is told whenever one asks. */
export async function releaseNames(inquiry: Inquiry, releases: readonly Digest[]): Promise<(release: Digest) => ReleaseName> {
  const { ledger } = inquiry.context;
  const rows = await Promise.all([...new Set(releases)].map((release) => ledger.releases(release)));
  const entries = await ledger.entriesAt(rows.flat().map(({ index }) => index));
  const names = new Map<Digest, ReleaseName>();
  // the first author's word, as everywhere
  for (const fact of [...(await factsIn({ ...inquiry, asOf: undefined }, FACT.release, entries))].reverse())
    names.set(releaseOf(fact), { name: fact.said.name, version: fact.said.version });
  return (release) => names.get(release) ?? { name: null, version: null };
}
