/** What SLSA v1 provenance says, as one word each: builder, build type, source, ref, commit; and what the build was fed. */
import { type JsonObject, TrustError } from '@sealane/core';
import { z } from 'zod';
import { fitShape } from '../policy/document.js';

/** What a provenance says, as one word each; undefined when it does not say it or contradicts itself. */
export interface ProvenanceFacts {
  readonly builder: string | undefined;
  readonly buildType: string | undefined;
  readonly source: string | undefined;
  readonly ref: string | undefined;
  readonly commit: string | undefined;
  /** What the build was fed (`resolvedDependencies`), the source among it. */
  readonly materials: readonly Material[];
}

/** One thing that a build was fed: where from, and whether it says which bytes. */
export interface Material {
  readonly uri: string | undefined;
  readonly isPinned: boolean;
}

/** Digests that name bytes: those of files, and the commits of git. */
const PINNING: ReadonlySet<string> = new Set(['sha256', 'sha384', 'sha512', 'gitCommit', 'sha1']);

const uriShape = z.string().min(1).max(2048);
const dependencyShape = z.looseObject({ uri: uriShape.optional(), digest: z.record(z.string(), z.string()).optional() });

/** The part of https://slsa.dev/provenance/v1 that gates read; the rest is let through unread. */
const provenanceShape = z.looseObject({
  buildDefinition: z.looseObject({
    buildType: uriShape,
    externalParameters: z.looseObject({}),
    resolvedDependencies: z.array(dependencyShape).max(10_000).optional(),
  }),
  runDetails: z.looseObject({ builder: z.looseObject({ id: uriShape }) }),
});

type Provenance = z.output<typeof provenanceShape>;

/** One source as a document names it: a repository, and where it says so a ref and a commit. */
interface SourceClaim {
  readonly source: string;
  readonly ref?: string | undefined;
  readonly commit?: string | undefined;
}

/**
 * Reads builder, build type, source, ref and commit.
 *
 * The source is what the build was asked for (`externalParameters`: `workflow.repository`, `source` or `repository`); only where that is
 * silent, the one git repository among the resolved dependencies. Two different answers are no answer.
 *
 * @throws TrustError `TRUST_MALFORMED` no SLSA v1 provenance
 */
export function provenanceFacts(predicate: JsonObject): ProvenanceFacts {
  const parsed = fitShape(provenanceShape, predicate);
  if (!parsed.success)
    throw new TrustError('TRUST_MALFORMED', `read provenance: ${(parsed.error.issues[0]?.message ?? 'another shape').slice(0, 200)}`);
  const { buildDefinition, runDetails } = parsed.data;
  const asked = askedSources(buildDefinition.externalParameters);
  const resolved = resolvedSources(buildDefinition);
  const source = onlyOne((asked.length > 0 ? asked : resolved).map((claim) => claim.source));
  const claims = [...asked, ...resolved].filter((claim) => claim.source === source);
  return {
    builder: runDetails.builder.id,
    buildType: buildDefinition.buildType,
    source,
    ref: onlyOne(claims.map((claim) => claim.ref)),
    commit: onlyOne(claims.map((claim) => claim.commit)),
    materials: (buildDefinition.resolvedDependencies ?? []).map(({ uri, digest }) => ({
      uri: uri === undefined ? undefined : bareUri(uri),
      isPinned: Object.entries(digest ?? {}).some(([algorithm, value]) => PINNING.has(algorithm) && /^[0-9a-f]{40,128}$/.test(value)),
    })),
  };
}

/** The sources that the build was asked for, in the fields that the known build types use. */
function askedSources(parameters: Readonly<Record<string, unknown>>): readonly SourceClaim[] {
  const workflow = recordOf(parameters.workflow);
  const direct = { uri: parameters.source ?? parameters.repository, ref: parameters.ref };
  return [claimOf(workflow.repository, workflow.ref), claimOf(direct.uri, direct.ref)].filter((claim) => claim !== undefined);
}

/** GitHub writes a text, Google Cloud Build and others `{uri, ref}` or a resource descriptor. */
function claimOf(value: unknown, ref: unknown): SourceClaim | undefined {
  const inner = recordOf(value);
  const uri = typeof value === 'string' ? value : (inner.uri ?? inner.repository);
  if (typeof uri !== 'string' || uri === '') return undefined;
  const parts = splitUri(uri);
  const given = typeof ref === 'string' ? ref : inner.ref;
  return {
    source: parts.source,
    ref: onlyOne([parts.ref, typeof given === 'string' ? given : undefined]),
    commit: commitOf(recordOf(inner.digest)),
  };
}

function resolvedSources({ resolvedDependencies }: Provenance['buildDefinition']): readonly SourceClaim[] {
  return (resolvedDependencies ?? []).flatMap(({ uri, digest }) => {
    if (uri === undefined) return [];
    const commit = commitOf(recordOf(digest));
    if (!uri.startsWith('git+') && commit === undefined) return [];
    const { source, ref } = splitUri(uri);
    return [{ source, ref, commit }];
  });
}

/** `git+https://host/repo@refs/heads/main`: the repository and the ref. An `@` before the last slash of the path is not a ref. */
function splitUri(uri: string): { readonly source: string; readonly ref: string | undefined } {
  const bare = bareUri(uri);
  const match = /^([a-z][a-z0-9+.-]*:\/\/[^/]+\/[^@]*)@(.+)$/i.exec(bare);
  return match?.[1] === undefined ? { source: bare, ref: undefined } : { source: match[1], ref: match[2] };
}

/** A URI without the `git+` that says how it is fetched. */
export function bareUri(uri: string): string {
  return uri.startsWith('git+') ? uri.slice('git+'.length) : uri;
}

function commitOf(digest: Readonly<Record<string, unknown>>): string | undefined {
  const commit = onlyOne([digest.gitCommit, digest.sha1].map((value) => (typeof value === 'string' ? value : undefined)));
  return commit === '' ? undefined : commit;
}

/** The one value among those given; undefined when there is none, or more than one. */
function onlyOne(values: readonly (string | undefined)[]): string | undefined {
  const known = new Set(values.filter((value) => value !== undefined));
  const [only] = known;
  return known.size === 1 ? only : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {};
}
