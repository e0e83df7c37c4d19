/** Blobs that a statement names beside what it is about: the raw report, inventory and descriptions of a test result. */
import { type Digest, isDigest, PREDICATE, type Statement } from '@sealane/core';

/** Their digests, each once. */
export function namedBlobs({ predicateType, predicate }: Pick<Statement, 'predicateType' | 'predicate'>): readonly Digest[] {
  const { configuration } = predicate;
  if (predicateType !== PREDICATE.testResult || !Array.isArray(configuration)) return [];
  const digests = (configuration as readonly { readonly digest?: { readonly sha256?: string } }[]).map(
    ({ digest }) => `sha256:${digest?.sha256 ?? ''}`,
  );
  return [...new Set(digests.filter(isDigest))];
}
