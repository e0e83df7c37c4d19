/** Which statements are evidence about one release: by their type and their subjects. */
import type { Digest } from '@sealane/core';
import type { Objection } from '../log/statement-add.js';
import type { Promoter } from '../promoter.js';
import { subjectsOf } from './subjects.js';

/** Objects to statements of the types in `not`, and to those about other bytes than the release and its parts. */
export function aboutRelease(
  promoter: Promoter,
  release: { readonly digest: Digest; readonly name: string },
  not: readonly string[],
): Objection {
  const named = new Set(subjectsOf(promoter, release).map(({ digest }) => digest.slice('sha256:'.length)));
  return (predicateType, { subject }) => {
    if (not.includes(predicateType)) return 'evidence';
    return subject.some(({ digest }) => named.has(digest.sha256))
      ? undefined
      : `a statement about release ${release.digest} or a part of it`;
  };
}
