/** `urn:sealane:release:v1`: the author says that a name and version stand for these components. */
import { type Digest, PREDICATE, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { countShape, digestShape, nameShape, saltShape } from '../../policy/shapes.js';
import { checkDeclaration, declarationShape, type ReleaseDeclaration } from './declaration.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** What a component is: an OCI image, a set of files, one manifest for an orchestrator, one firmware file. */
export type ComponentKind = 'image' | 'files' | 'manifest' | 'firmware';

/** One component of a release; `digest`, `size` (bytes) and `mediaType` are those of its OCI manifest or index. `oneWay`: there is no way back from it. */
export type ReleaseComponent = {
  readonly name: string;
  readonly kind: ComponentKind;
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  readonly oneWay?: true;
};

/** The predicate. `irreversible` marks a release with a part that is one-way; `declares` repeats what its manifest declares. */
export type ReleasePredicate = {
  readonly name: string;
  readonly version: string;
  readonly components: readonly ReleaseComponent[];
  readonly irreversible?: true;
  readonly declares?: ReleaseDeclaration;
  readonly salt?: string;
};

/** A version as people write it: no `@` (it parts NAME@VERSION), no slash, nothing that a file name cannot hold. */
const versionShape = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/);

/** Zod's shape of the predicate. */
export const releaseShape = z.strictObject({
  name: nameShape,
  version: versionShape,
  components: z
    .array(
      z.strictObject({
        name: nameShape,
        kind: z.enum(['image', 'files', 'manifest', 'firmware']),
        digest: digestShape,
        size: countShape,
        mediaType: z.string().min(1).max(255),
        oneWay: z.literal(true).exactOptional(),
      }),
    )
    .min(1)
    .max(256),
  irreversible: z.literal(true).exactOptional(),
  declares: declarationShape.exactOptional(),
  salt: saltShape.exactOptional(),
});

const format: PredicateFormat<ReleasePredicate> = { what: 'release statement', predicateType: PREDICATE.release, shape: releaseShape };

/** Reads a release statement. @throws TrustError `TRUST_MALFORMED` */
export function readRelease(statement: Statement): ReleasePredicate {
  const release = known.get(statement) ?? checked(readPredicate(format, statement));
  known.set(statement, release);
  return release;
}

/** What was read of statements, which nobody changes in place: a release's is read for its gates and for its waybill. */
const known = new WeakMap<Statement, ReleasePredicate>();

function checked(release: ReleasePredicate): ReleasePredicate {
  checkOneWay(release);
  if (release.declares !== undefined) checkDeclaration(release.declares);
  return release;
}

/** The payload of a release statement about the release manifest `release`. @throws TrustError `TRUST_MALFORMED` */
export function releaseStatement(release: Digest, predicate: ReleasePredicate): Uint8Array {
  checkOneWay(predicate);
  if (predicate.declares !== undefined) checkDeclaration(predicate.declares);
  return writePredicate(format, [{ name: predicate.name, digest: release }], predicate);
}

/** The mark on the whole and those on its parts say the same. */
function checkOneWay({ irreversible, components }: ReleasePredicate): void {
  if (components.some(({ oneWay }) => oneWay === true) === (irreversible === true)) return;
  throw new TrustError('TRUST_MALFORMED', 'read release statement: expected irreversible with a one-way part, and only then');
}
