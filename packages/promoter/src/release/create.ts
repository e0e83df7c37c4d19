/** Makes a release: copies images by digest, wraps files, manifests and firmware, writes the release manifest, logs the author's statement. */
import path from 'node:path';
import { type Digest, LIMITS, PromoterError, shellWord, type Signed, type Signer } from '@sealane/core';
import {
  buildArtifact,
  buildFiles,
  COMPONENT_ARTIFACT_TYPES,
  copyFrom,
  copyImage,
  type Descriptor,
  encodeReleaseManifest,
  type Layout,
  layoutSource,
  OCI_INDEX,
  openLayout,
  readFolder,
  type RegistryOptions,
  type RootManifest,
} from '@sealane/oci';
import {
  carriedBundleStatement,
  type ComponentKind,
  type ReleaseComponent,
  type ReleaseDeclaration,
  releaseStatement,
} from '@sealane/trust';
import { reached } from '../crash-point.js';
import { writeBlob } from '../decision/waybill.js';
import { readNamed } from '../disk-shell.js';
import { expectInScope } from '../evidence/expect-in-scope.js';
import { signAll } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { expectPinnedImages } from './manifest-images.js';
import { releasesCalled } from './records.js';
import { refName } from './ref-name.js';

/** A part as the command line names it. `source` is a REF for images, else a path; `gathered` where the content has it already. */
export interface ComponentWish {
  readonly kind: ComponentKind;
  readonly name: string;
  readonly source: string;
  readonly gathered?: Descriptor;
}

export interface ReleaseWish {
  readonly name: string;
  readonly version: string;
  readonly components: readonly ComponentWish[];
  /** What it declares about dependencies and variables; see `readDeclaration`. */
  readonly declares?: ReleaseDeclaration;
  /** Names of parts that have no way back. */
  readonly oneWay?: readonly string[];
  readonly author: Signer;
  /** Logins for registries that images come from. */
  readonly registry?: RegistryOptions;
  /** Bundles that others signed over its images, already verified: they are logged with it, or not at all. */
  readonly carried?: readonly { readonly bundle: Uint8Array; readonly source: string }[];
}

export interface MadeRelease {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
  readonly components: readonly ReleaseComponent[];
}

/** As release manifests have them: checked before anything is copied. */
const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const VERSION = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
/** Media types of the one layer of a manifest or firmware component. */
const LAYER_TYPES = { manifest: 'application/vnd.sealane.manifest.v1', firmware: 'application/vnd.sealane.firmware.v1' } as const;

/**
 * Brings the parts of a release into the content: images from their registries, packed folders. No name is given and nothing is logged, so no lock is
 * needed: nobody who publishes waits for a registry.
 *
 * @throws PromoterError `USAGE` no parts, or a name that is none; `EVIDENCE_SIGNER` the key is no author's; `MANIFEST_UNPINNED`; OciError for content
 */
async function gatherParts(promoter: Promoter, wish: ReleaseWish): Promise<ReleaseWish> {
  if (wish.components.length === 0)
    throw new PromoterError('USAGE', 'create a release: expected at least one of --image, --files, --manifest, --firmware');
  expectNames(wish);
  for (const { kind, source } of wish.components) if (kind === 'manifest') expectPinnedImages(source, readNamed(source, kind));
  expectAuthor(promoter, wish);
  const layout = await openLayout(promoter.home.content, { create: 'if-missing' });
  const components: ComponentWish[] = [];
  for (const part of wish.components) components.push({ ...part, gathered: await gather(layout, part, wish.registry) });
  return { ...wish, components };
}

/** A release whose parts the content has and whose statements its author has signed. No name stands for it yet, and nothing is logged. */
export interface SignedRelease {
  readonly wish: ReleaseWish;
  readonly signed: readonly Signed[];
}

/**
 * Gathers the parts of a release and has its author sign. Both may take long: the lock is not needed for either.
 *
 * @throws PromoterError as `gatherParts`; `RELEASE_EXISTS` the name and version stand for other bytes
 */
export async function signRelease(promoter: Promoter, wish: ReleaseWish): Promise<SignedRelease> {
  const gathered = await gatherParts(promoter, wish);
  const { made, payloads } = await writeRelease(promoter, gathered);
  await expectSameBytes(promoter, wish, made.release);
  return { wish: gathered, signed: await signAll(payloads, wish.author) };
}

/**
 * Makes a release of what was signed. Running it again with the same parts changes nothing.
 *
 * @throws PromoterError as `signRelease`
 */
export async function createRelease(promoter: Promoter, { wish, signed }: SignedRelease): Promise<MadeRelease> {
  // what was gathered and written before may have been collected meanwhile
  const { made, descriptor, layout } = await writeRelease(promoter, await gatherParts(promoter, wish));
  await expectSameBytes(promoter, wish, made.release);
  // what is refused must not have moved the names of what is there
  for (const component of made.components) if (component.kind === 'image') await offerImage(layout, component, wish);
  await layout.addToIndex({ ...descriptor, annotations: refName(wish.name, wish.version) });
  reached('release:content-written');
  await promoter.ledger.append(signed);
  reached('release:logged');
  return made;
}

/** A release as the content has it, and what its author says of it. */
interface WrittenRelease {
  readonly made: MadeRelease;
  readonly descriptor: Descriptor;
  readonly layout: Layout;
  readonly payloads: readonly Uint8Array[];
}

async function writeRelease(promoter: Promoter, { name, version, ...wish }: ReleaseWish): Promise<WrittenRelease> {
  const layout = await openLayout(promoter.home.content, { create: 'if-missing' });
  const oneWay = new Set(wish.oneWay);
  const components = wish.components.flatMap(({ name, kind, gathered }): ReleaseComponent[] => {
    if (gathered === undefined) return [];
    const { mediaType, digest, size } = gathered;
    return [{ name, kind, digest, size, mediaType, ...(oneWay.has(name) ? { oneWay: true } : {}) }];
  });
  const irreversible = oneWay.size === 0 ? {} : { irreversible: true as const };
  const declares = wish.declares === undefined ? {} : { declares: wish.declares };
  const manifest = encodeReleaseManifest({ name, version, components, ...declares });
  const { digest, size } = await layout.putBlob(manifest, { maxBytes: LIMITS.releaseManifestBytes });
  const carried = (wish.carried ?? []).map(({ bundle, source }) =>
    carriedBundleStatement(digest, { bundle: writeBlob(promoter, bundle), source }),
  );
  return {
    made: { release: digest, name, version, components },
    descriptor: { mediaType: OCI_INDEX, digest, size },
    layout,
    payloads: [releaseStatement(digest, { name, version, components, ...irreversible, ...declares }), ...carried],
  };
}

function expectNames({ name, version, components, oneWay = [] }: ReleaseWish): void {
  if (!NAME.test(name) || name.length > 64)
    throw new PromoterError(
      'USAGE',
      `read --name: expected lower-case letters and digits, with single dots and dashes between them, got ${JSON.stringify(name.slice(0, 80))}`,
    );
  if (!VERSION.test(version))
    throw new PromoterError(
      'USAGE',
      `read --version: expected at most 64 letters, digits, dots, dashes and plus signs, got ${JSON.stringify(version.slice(0, 80))}`,
    );
  const twice = components.find((part, at) => components.findIndex((other) => other.name === part.name) !== at);
  if (twice !== undefined)
    throw new PromoterError(
      'USAGE',
      `create a release: expected each part under a name of its own, got ${twice.name} twice`,
      {},
      { hint: `name the parts: --${twice.kind} NAME=${shellWord(twice.source)}` },
    );
  const unknown = oneWay.find((name) => !components.some((part) => part.name === name));
  if (unknown !== undefined)
    throw new PromoterError(
      'USAGE',
      `read --one-way: expected the name of a part (${components.map((part) => part.name).join(', ')}), got ${unknown.slice(0, 80)}`,
    );
}

function expectAuthor({ lane }: Promoter, { author, ...release }: ReleaseWish): void {
  const policies = [...lane.stages.values()].map(({ policy }) => policy).filter(({ signers }) => signers.release.includes(author.keyId));
  if (policies.length === 0)
    throw new PromoterError('EVIDENCE_SIGNER', `create a release: expected a key listed under signers.release, got key ${author.keyId}`);
  expectInScope(policies, release, author.keyId, 'create a release');
}

/** @throws PromoterError `RELEASE_EXISTS` the name and version stand for other bytes */
export async function expectSameBytes(
  promoter: Promoter,
  { name, version }: Pick<ReleaseWish, 'name' | 'version'>,
  digest: Digest,
): Promise<void> {
  const other = (await releasesCalled(promoter, name, version)).find((row) => row.release !== digest);
  if (other === undefined) return;
  throw new PromoterError('RELEASE_EXISTS', `create ${name}@${version}: it stands for ${other.release} already, got ${digest}`, {
    release: other.release,
  });
}

/** What was gathered before is read again: it may have been collected meanwhile. */
async function gather(layout: Layout, part: ComponentWish, registry: ReleaseWish['registry']): Promise<Descriptor> {
  const { gathered } = part;
  if (gathered !== undefined) {
    const root = async (): Promise<RootManifest> => ({
      descriptor: gathered,
      bytes: await layout.readBlob(gathered.digest, gathered.size),
    });
    return await copyFrom({ ...layoutSource(layout, gathered), root }, layout);
  }
  return part.kind === 'image' ? await copyImage(part.source, layout, registry) : await addArtifact(layout, part, part.kind);
}

/** Names an image in the layout's index, as cosign looks for it. */
export async function offerImage(
  layout: Layout,
  { name, mediaType, digest, size }: ReleaseComponent,
  release: Pick<ReleaseWish, 'name' | 'version'>,
): Promise<void> {
  const annotations = {
    kind: 'dev.cosignproject.cosign/image',
    ...refName(release.name, release.version, name),
  };
  await layout.addToIndex({ mediaType, digest, size, annotations });
}

/** An artifact manifest around one layer: what registries and `oras` understand. */
async function addArtifact(layout: Layout, { source }: ComponentWish, kind: Exclude<ComponentKind, 'image'>): Promise<Descriptor> {
  const artifactType = COMPONENT_ARTIFACT_TYPES[kind];
  if (kind === 'files') return await buildFiles(layout, artifactType, await readFolder(source));
  return await buildArtifact(layout, {
    artifactType,
    layerType: LAYER_TYPES[kind],
    content: readNamed(source, kind),
    title: path.basename(source),
  });
}

/** `NAME=SOURCE`, or a source alone, which then is called `otherwise`. @throws PromoterError `USAGE` */
export function componentWish(kind: ComponentKind, text: string, otherwise: string): ComponentWish {
  const [, name, source] = /^([a-z0-9][a-z0-9._-]{0,63})=(.+)$/s.exec(text) ?? [];
  return { kind, name: name ?? otherwise, source: source ?? text };
}
