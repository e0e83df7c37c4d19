/** The owners' roots that the log names. What an entry says gives no root any authority, whoever signed it: only that a root is in no entry, or that there are two of one version, says something. */
import { type Digest, PREDICATE, SealaneError } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import { type DescribedRoot, describeRoot, followsRoot, readRootStatement, type RootPredicate } from '@sealane/trust';

/** A root as an entry names it; `file` is its digest, under which a lane has it in `content/` too. */
export type LoggedRoot = RootPredicate & { readonly file: Digest; readonly entry: LedgerEntry };

type ReadBlob = (digest: Digest) => Uint8Array | undefined;

/** Every root that the log names, in the order of the log. An entry of this type that is malformed names none. */
export async function loggedRoots(ledger: Pick<Ledger, 'noting'>): Promise<readonly LoggedRoot[]> {
  // one that was erased names nothing any more
  const entries = await ledger.noting(() => undefined).statementsOf([PREDICATE.root]);
  return entries.flatMap((entry) => {
    try {
      return [{ ...readRootStatement(entry.statement), entry }];
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      return [];
    }
  });
}

/**
 * The logged roots that fork the chain of roots at `root`: of the same version, other than it, and signed as clients that trust `before` ask. Each once.
 *
 * One whose bytes are gone, or that owners did not sign, is somebody's word and no root.
 */
export function rivalsOf(
  root: Pick<DescribedRoot, 'version' | 'signed'>,
  before: Uint8Array,
  logged: readonly LoggedRoot[],
  readBlob: ReadBlob,
): readonly LoggedRoot[] {
  const rivals = logged.filter(
    ({ version, signed, file }) => version === root.version && signed !== root.signed && isSuccessor(readBlob(file), signed, before),
  );
  return rivals.filter(({ signed }, at) => rivals.findIndex((each) => each.signed === signed) === at);
}

function isSuccessor(bytes: Uint8Array | undefined, signed: Digest, before: Uint8Array): boolean {
  if (bytes === undefined) return false;
  try {
    return describeRoot(bytes).signed === signed && followsRoot(bytes, before);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return false;
  }
}
