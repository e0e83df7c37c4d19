/** Attaches documents to a manifest in a registry as OCI 1.1 referrers, in the one shape that cosign and its kin look for. */
import { canonicalJson, type Digest, OciError, sha256, utf8 } from '@sealane/core';
import { bareDescriptor, type Descriptor, descriptorJson } from './descriptor.js';
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from './media-types.js';
import { reached } from './points.js';
import { referrersTag, withReferrers } from './referrers-list.js';
import type { RegistryClient } from './registry.js';
import type { ListedReferrers } from './registry-referrers.js';

/** A document to attach: `mediaType` is its own and becomes the referrer's artifact type. */
export interface Attachment {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Which manifest of which repository; `subject` must be there. */
export interface AttachTarget {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly subject: Descriptor;
  /** Holds what other writers that one can know of hold too, while the list under the fallback tag is read, changed and written. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
}

/** What was attached, and who keeps the list of it. */
export interface Attached {
  readonly keptBy: ListedReferrers['keptBy'];
  readonly referrers: readonly Descriptor[];
}

/** A writer elsewhere, whom no lock of ours holds, may undo an addition: it is made again this often. */
const MAX_ROUNDS = 8;
const EMPTY = utf8('{}');
const EMPTY_CONFIG: Descriptor = { mediaType: OCI_EMPTY, digest: sha256(EMPTY), size: EMPTY.length };

/**
 * Attaches; the same documents give the same referrers, so that run again it changes nothing.
 *
 * @throws OciError `CONTENT_MALFORMED` the tag of the list holds something else, or the list is full; `REGISTRY_*`; others as `putBlob`
 */
export async function attach(target: AttachTarget, attachments: readonly Attachment[]): Promise<Attached> {
  const referrers: Descriptor[] = [];
  for (const attachment of attachments) referrers.push(await putReferrer(target, attachment));
  reached('referrers-put');
  return { keptBy: await listed(target, referrers), referrers };
}

/** Sees to it that all referrers are in the list of their subject; returns who keeps it. */
export async function listed(target: AttachTarget, referrers: readonly Descriptor[]): Promise<ListedReferrers['keptBy']> {
  const { client, repository, subject, alone } = target;
  for (let round = 1; ; round += 1) {
    const list = await client.referrers(repository, subject.digest);
    const missing = missingFrom(list, referrers);
    if (missing.length === 0) return list.keptBy;
    if (round > MAX_ROUNDS)
      throw new OciError(
        'REGISTRY_UNAVAILABLE',
        `attach to ${client.registry}/${repository}@${subject.digest}: expected ${missing.length} referrers to stay listed, they were gone ${MAX_ROUNDS} times`,
      );
    if (list.keptBy === 'writers') await alone(() => addToList(target, referrers));
  }
}

/** The referrer's manifest: image-spec 1.1 "Guidelines for Artifact Usage", with the bundle as the one layer. */
async function putReferrer({ client, repository, subject }: AttachTarget, attachment: Attachment): Promise<Descriptor> {
  const { mediaType: artifactType, bytes, annotations } = attachment;
  const layer: Descriptor = { mediaType: artifactType, digest: sha256(bytes), size: bytes.length };
  await client.putBlob(repository, EMPTY_CONFIG, inMemory(EMPTY));
  await client.putBlob(repository, layer, inMemory(bytes));
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: descriptorJson(EMPTY_CONFIG),
    layers: [descriptorJson(layer)],
    subject: descriptorJson(bareDescriptor(subject)),
    annotations,
  });
  await client.putManifest(repository, { bytes: manifest, mediaType: OCI_MANIFEST });
  return { mediaType: OCI_MANIFEST, digest: sha256(manifest), size: manifest.length, artifactType, annotations };
}

/** distribution-spec, "Pushing Manifests with Subject": read, add, write. The entries of others stay as they are. */
async function addToList({ client, repository, subject }: AttachTarget, referrers: readonly Descriptor[]): Promise<void> {
  const list = await client.referrers(repository, subject.digest);
  if (list.keptBy === 'registry') return;
  const bytes = canonicalJson(withReferrers(list, missingFrom(list, referrers), `${client.registry}/${repository}@${subject.digest}`));
  await client.putManifest(repository, { bytes, mediaType: OCI_INDEX }, referrersTag(subject.digest));
}

function missingFrom({ referrers: there }: ListedReferrers, wanted: readonly Descriptor[]): readonly Descriptor[] {
  const digests = new Set<Digest>(there.map(({ digest }) => digest));
  return wanted.filter(({ digest }) => !digests.has(digest));
}

const inMemory = (bytes: Uint8Array) => (from: number, length: number) => Promise.resolve(bytes.subarray(from, from + length));
