/** Copies a release into a repository of a registry: every image by digest, and what vouches for each as OCI 1.1 referrers. */
import { canonicalJson, type Digest, LIMITS, PromoterError } from '@sealane/core';
import { withPublishLock } from '@sealane/ledger';
import {
  attach,
  type Attachment,
  type AttachTarget,
  type Descriptor,
  listed,
  type Layout,
  manifestKind,
  OCI_INDEX,
  openLayout,
  parseRepository,
  pushFrom,
  type PushCount,
  type RegistryClient,
  type RegistryOptions,
  type RepositoryName,
  walkRelease,
  withRegistry,
} from '@sealane/oci';
import { BUNDLE_MEDIA_TYPE } from '@sealane/trust';
import { readBlob } from '../content.js';
import { reached } from '../crash-point.js';
import { expectNotRevoked, laneRevocation } from '../decision/revocation.js';
import { bundleOf, firstCheckpoint } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import type { NamedRelease } from '../release/records.js';
import { chooseVouching, type LeftOut, type Vouching } from './vouching.js';

export interface CopyWish {
  readonly release: NamedRelease;
  readonly to: RepositoryName;
  readonly stage: string | undefined;
  /** Logins, patience and the like. */
  readonly registry: RegistryOptions;
}

/** A statement at a manifest: its digest, and that of the referrer that carries it. */
interface AttachedStatement {
  readonly predicateType: string;
  readonly digest: Digest;
  readonly referrer: Digest;
}

export interface CopiedRelease {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
  readonly stage: string | null;
  /** `docker://REGISTRY/REPOSITORY@DIGEST` of the release. */
  readonly to: string;
  readonly tag: string;
  readonly copied: PushCount;
  readonly attached: readonly { readonly subject: Digest; readonly statements: readonly AttachedStatement[] }[];
  readonly left: readonly LeftOut[];
}

/** A manifest of the release, and what is attached to it. */
interface Subject {
  readonly descriptor: Descriptor;
  readonly statements: readonly { readonly from: Vouching; readonly attachment: Attachment }[];
}

/** distribution-spec: a tag has at most so many characters. */
const MAX_TAG_LENGTH = 128;

/**
 * Copies. Done again, or after a kill, it sends nothing that is there; the tag comes last.
 *
 * @throws PromoterError `RELEASE_REVOKED`; `WAYBILL_STAGE_ORDER` it has not passed the stage; `LOG_WITNESS` a statement has no proof yet;
 * `RELEASE_EXISTS` the tag stands for other bytes there; OciError `CONTENT_*`, `REGISTRY_*`, `FETCH_TOO_SLOW`
 */
export async function copyRelease(promoter: Promoter, wish: CopyWish): Promise<CopiedRelease> {
  const { release, to, stage } = wish;
  await expectCurrent(promoter, release.digest, stage);
  const { vouching, left } = await chooseVouching(promoter, release.digest, stage);
  const walked = walkRelease((digest) => readBlob(promoter, digest), release.digest);
  const manifests = [walked.release, ...walked.blobs.filter(({ mediaType }) => manifestKind(mediaType) !== undefined)];
  const subjects = await subjectsWith(promoter, manifests, vouching);
  const layout = await openLayout(promoter.home.content);
  const done = await withRegistry(to.registry, { ...wish.registry, access: 'pull,push' }, (client) =>
    write(promoter, client, { layout, root: walked.release, subjects, wish }),
  );
  const { digest, name, version } = release;
  return { release: digest, name, version, stage: stage ?? null, to: `docker://${to.registry}/${to.repository}@${digest}`, ...done, left };
}

interface Work {
  readonly layout: Layout;
  readonly root: Descriptor;
  readonly subjects: readonly Subject[];
  readonly wish: CopyWish;
}

async function write(
  promoter: Promoter,
  client: RegistryClient,
  { layout, root, subjects, wish }: Work,
): Promise<Pick<CopiedRelease, 'tag' | 'copied' | 'attached'>> {
  const { repository } = wish.to;
  const tag = tagOf(wish.release);
  await expectFreeTag(client, wish, tag);
  const copied = await pushFrom(layout, root, { client, repository, mountFrom: otherRepositories(promoter, wish.to) });
  reached('copy:images-there');
  // an upload may take hours, in which the release may be called back: nothing vouches for it then
  await expectStillCurrent(promoter, wish);
  // one writer of this home at a time: the list of a registry without the referrers API loses what two write at once
  const alone: AttachTarget['alone'] = (work) => withPublishLock({ file: promoter.home.registryLock }, work);
  const written: { target: AttachTarget; referrers: readonly Descriptor[]; of: Subject; isKept: boolean }[] = [];
  for (const of of subjects) {
    const target = { client, repository, subject: of.descriptor, alone };
    const attachments = of.statements.map(({ attachment }) => attachment);
    const { referrers, keptBy } = await attach(target, attachments);
    written.push({ target, referrers, of, isKept: keptBy === 'registry' });
  }
  // a writer on another host may have read such a list before ours was in it, and written it after
  for (const { target, referrers, isKept } of written) if (!isKept) await listed(target, referrers);
  reached('copy:attached');
  await expectStillCurrent(promoter, wish);
  await client.putManifest(
    repository,
    { bytes: await layout.readBlob(root.digest, LIMITS.releaseManifestBytes), mediaType: OCI_INDEX },
    tag,
  );
  const attached = written.map(({ of: { descriptor, statements }, referrers }) => ({
    subject: descriptor.digest,
    statements: statements.flatMap(({ from }, at) => {
      const referrer = referrers[at]?.digest;
      return referrer === undefined ? [] : [{ predicateType: from.predicateType, digest: from.entry.statementDigest, referrer }];
    }),
  }));
  return { tag, copied, attached };
}

/** What is revoked goes nowhere, whichever stage called it back. */
async function expectCurrent(promoter: Promoter, release: Digest, stage: string | undefined): Promise<void> {
  const stages = stage === undefined ? [...promoter.lane.stages.keys()] : [stage];
  for (const each of stages) expectNotRevoked(promoter, each, release);
  const [revoked] = await laneRevocation(promoter, release);
  if (revoked !== undefined)
    throw new PromoterError('RELEASE_REVOKED', `copy ${release}: expected one that is not revoked, it is ${revoked.actual}`);
}

/** As `expectCurrent`, by what was logged meanwhile. */
async function expectStillCurrent(promoter: Promoter, { release, stage }: CopyWish): Promise<void> {
  await promoter.ledger.refresh();
  await expectCurrent(promoter, release.digest, stage);
}

/** Each manifest with the statements that name it: a bundle about other bytes is attached nowhere. */
async function subjectsWith(
  promoter: Promoter,
  manifests: readonly Descriptor[],
  vouching: readonly Vouching[],
): Promise<readonly Subject[]> {
  const made = new Map<Vouching, Attachment>();
  for (const from of vouching) made.set(from, await attachmentOf(promoter, from));
  const about = (descriptor: Descriptor): Subject['statements'] =>
    [...made].filter(([from]) => from.subjects.includes(descriptor.digest)).map(([from, attachment]) => ({ from, attachment }));
  return manifests.map((descriptor) => ({ descriptor, statements: about(descriptor) })).filter(({ statements }) => statements.length > 0);
}

/** The bundle under its first cosigned checkpoint: the same bytes at each call, so that nothing is attached twice. */
async function attachmentOf({ ledger }: Promoter, { entry, predicateType, carried }: Vouching): Promise<Attachment> {
  const bytes = carried ?? canonicalJson(await bundleOf(ledger, entry, await firstCheckpoint(ledger, entry.index)));
  // what cosign, Kyverno and policy-controller look for
  const annotations = { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': predicateType };
  return { mediaType: BUNDLE_MEDIA_TYPE, bytes, annotations };
}

/** Repositories of the same registry that the pipeline names for other stages: what they have is mounted, not sent. */
function otherRepositories({ pipeline }: Promoter, to: RepositoryName): readonly string[] {
  const named = pipeline.stages.flatMap(({ repository }) => (repository === undefined ? [] : [parseRepository(repository)]));
  return named
    .filter(({ registry, repository }) => registry === to.registry && repository !== to.repository)
    .map(({ repository }) => repository);
}

/** `NAME-VERSION`, in the letters of a tag: without a tag, registries that clean up would remove the copy. */
function tagOf({ name, version }: NamedRelease): string {
  return `${name}-${version.replaceAll('+', '_')}`.slice(0, MAX_TAG_LENGTH);
}

async function expectFreeTag(client: RegistryClient, { release, to }: CopyWish, tag: string): Promise<void> {
  const there = await client.findManifest(to.repository, tag);
  if (there === undefined || there.digest === release.digest) return;
  throw new PromoterError(
    'RELEASE_EXISTS',
    `copy ${release.name}@${release.version} to ${to.registry}/${to.repository}: tag ${tag} stands for ${there.digest} there, got ${release.digest}`,
    { release: there.digest },
    { hint: `copy it to another repository, or remove the tag there if what it stands for is not needed` },
  );
}
