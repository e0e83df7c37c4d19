/** What is different between a release and the one before it: parts, layers of images, commits, what it declares, packages. */
import { AuditorError, type Digest } from '@sealane/core';
import type { ReleaseComponent } from '@sealane/trust';
import { aboutRelease, type AboutRelease, nameOf, type NamedRelease } from './about-release.js';
import type { AuditContext } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsIn } from './facts.js';
import { type Answered, type Asked, inquire, type Inquiry } from './inquiry.js';
import { listAt, textAt } from './json-at.js';
import { type LayerChange, layerChanges } from './layers.js';
import { packagesIn } from './package-lists.js';
import { siteHistory } from './site-history.js';

/** Something that only one side has, or that differs; null: not there. */
interface Change {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface Changes extends NamedRelease {
  readonly previous: NamedRelease;
  readonly components: readonly Change[];
  readonly layers: readonly LayerChange[];
  readonly commits: { readonly before: readonly string[]; readonly after: readonly string[] };
  readonly declares: readonly Change[];
  /** Null when no SBOM of one of the two is in the log. */
  readonly packages: readonly Change[] | null;
}

/**
 * Answers "what changed?", against another release, or against what ran at a site before.
 *
 * @throws AuditorError `RELEASE_UNKNOWN`, `SITE_UNKNOWN`; `USAGE` neither or both, or nothing ran at the site before it
 */
export async function changes(
  context: AuditContext,
  named: string,
  { from, site }: { readonly from?: string | undefined; readonly site?: string | undefined },
  asked: Asked = {},
): Promise<Answered<Changes>> {
  if ((from === undefined) === (site === undefined)) throw new AuditorError('USAGE', 'ask what changed: expected one of --from and --site');
  return await inquire(context, `changes ${named} ${from === undefined ? `at ${site ?? ''}` : `from ${from}`}`, asked, async (inquiry) => {
    const after = await aboutRelease(inquiry, named);
    const before = await aboutRelease(inquiry, from ?? (await ranBefore(inquiry, after.release, site ?? '')));
    const [boms, bomsBefore] = [await packagesOf(inquiry, after), await packagesOf(inquiry, before)];
    return {
      ...nameOf(after),
      previous: nameOf(before),
      components: compare(partsOf(before), partsOf(after)),
      layers: layerChanges(inquiry.context, componentsOf(before), componentsOf(after)),
      commits: { before: await commitsOf(inquiry, before), after: await commitsOf(inquiry, after) },
      declares: compare(declaredBy(before), declaredBy(after)),
      packages: boms === undefined || bomsBefore === undefined ? null : compare(bomsBefore, boms),
    };
  });
}

async function ranBefore(inquiry: Inquiry, release: Digest, site: string): Promise<Digest> {
  const history = await siteHistory(inquiry, site);
  if (history === undefined)
    throw new AuditorError('SITE_UNKNOWN', `ask what changed at ${site}: there is no such site in the ledger`, { site });
  const runs = history.runs.filter((run, at) => run.release !== history.runs[at - 1]?.release);
  const at = runs.findIndex((run) => run.release === release);
  const before = runs[at - 1]?.release;
  if (before != null) return before;
  throw new AuditorError('USAGE', `ask what changed at ${site}: expected ${release} there with a release before it, got none`, { site });
}

function partsOf({ author }: Pick<AboutRelease, 'author'>): ReadonlyMap<string, string> {
  return new Map(componentsOf({ author }).map(({ name, digest }) => [name, digest]));
}

function componentsOf({ author }: Pick<AboutRelease, 'author'>): readonly ReleaseComponent[] {
  return author?.said.components ?? [];
}

function declaredBy({ author }: AboutRelease): ReadonlyMap<string, string> {
  const { variables = [], dependencies = [], ...others } = author?.said.declares ?? {};
  return new Map([
    ...variables.map((one) => [`variable ${one.name}`, JSON.stringify(one)] as const),
    ...dependencies.map((one) => [`dependency ${one.name}`, JSON.stringify(one)] as const),
    ...Object.entries(others).map(([name, value]) => [name, JSON.stringify(value)] as const),
  ]);
}

async function commitsOf(inquiry: Inquiry, { entries }: AboutRelease): Promise<readonly string[]> {
  const built = await factsIn(inquiry, FACT.provenance, entries);
  const commits = built.flatMap(({ said }) =>
    listAt(said, 'buildDefinition', 'resolvedDependencies').map((one) => textAt(one, 'digest', 'gitCommit')),
  );
  return [...new Set(commits.filter((commit) => commit !== ''))];
}

/** Packages by name, all versions of one together; undefined without an SBOM about the release or one of its parts. */
async function packagesOf(inquiry: Inquiry, { entries, author }: AboutRelease): Promise<ReadonlyMap<string, string> | undefined> {
  const ofParts = componentsOf({ author }).map(({ digest }) =>
    inquiry.context.ledger.statementsAbout(digest, [FACT.cyclonedx.type, FACT.spdx.type]),
  );
  const all = [...entries, ...(await Promise.all(ofParts)).flat()];
  const boms = [...(await factsIn(inquiry, FACT.cyclonedx, all)), ...(await factsIn(inquiry, FACT.spdx, all))];
  if (boms.length === 0) return undefined;
  const versions = new Map<string, Set<string>>();
  for (const { name, version } of boms.flatMap(({ said }) => packagesIn(said)))
    versions.set(name, (versions.get(name) ?? new Set<string>()).add(version));
  return new Map([...versions].map(([name, some]) => [name, [...some].sort().join(', ')]));
}

function compare(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly Change[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .map((name) => ({ name, before: before.get(name) ?? null, after: after.get(name) ?? null }))
    .filter((change) => change.before !== change.after);
}
