/** What questions about one release begin with: the release, what its author says, every entry about it, and the documents of its runs. */
import { type Digest, type HardwareDevice, SealaneError } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import type { ReleasePredicate } from '@sealane/trust';
import { doubt } from './answer.js';
import { FACT } from './fact-kinds.js';
import { type Fact, factsIn } from './facts.js';
import { type Inquiry, releaseNamed } from './inquiry.js';
import { devicesRead } from './known-hardware.js';

/** A release that is asked about; `said` is undefined when no author whom policy names says so. */
export interface AboutRelease {
  readonly release: Digest;
  readonly entries: readonly LedgerEntry[];
  readonly author: Fact<ReleasePredicate> | undefined;
}

/** How an answer names a release. */
export interface NamedRelease {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
}

/** @throws AuditorError `RELEASE_UNKNOWN` */
export async function aboutRelease(inquiry: Inquiry, named: string): Promise<AboutRelease> {
  const release = await releaseNamed(inquiry.context, named);
  const entries = await inquiry.context.ledger.evidenceAbout(release);
  const [author] = await factsIn({ ...inquiry, asOf: undefined }, FACT.release, entries);
  return { release, entries, author };
}

/** The release by name. */
export function nameOf({ release, author }: AboutRelease): NamedRelease {
  return { release, name: author?.said.name ?? '', version: author?.said.version ?? '' };
}

/** A blob that a fact names; one that is not there is a doubt of the answer. */
function readNamed(inquiry: Inquiry, { entry }: Pick<Fact<unknown>, 'entry'>, digest: Digest, what: string): Uint8Array | undefined {
  const bytes = inquiry.context.readBlob(digest);
  if (bytes === undefined) inquiry.evidence.gone.push({ entry, digest, what });
  return bytes;
}

/** A document that a fact names, read; undefined, and a doubt, when it is not there or is none. */
export function readDocument<T>(
  inquiry: Inquiry,
  fact: Pick<Fact<unknown>, 'entry'>,
  { digest, what }: { readonly digest: Digest | undefined; readonly what: string },
  parse: (bytes: Uint8Array) => T,
): T | undefined {
  const bytes = digest === undefined ? undefined : readNamed(inquiry, fact, digest, what);
  if (bytes === undefined) return undefined;
  try {
    return parse(bytes);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    doubt(inquiry.evidence, fact.entry, error.code, error.message);
    return undefined;
  }
}

/** The devices of a run by the inventory that its result names; none, and a doubt, when it cannot be read. */
export function devicesOf(inquiry: Inquiry, fact: Fact<{ readonly hardware: Digest | undefined }>): readonly HardwareDevice[] {
  const found = { digest: fact.said.hardware, what: 'hardware inventory' };
  return readDocument(inquiry, fact, found, devicesRead) ?? [];
}
