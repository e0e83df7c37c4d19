/**
 * Walks from a manifest to every blob below it. Pure: it says which manifest it needs and is given the bytes, so that a
 * caller who reads at once and one who waits for a registry walk the same way.
 */
import { type Digest, sha256 } from '@sealane/core';
import { type Descriptor, malformed } from './descriptor.js';
import { MAX_BLOBS, MAX_IMAGE_BYTES, MAX_MANIFEST_BYTES, MAX_MANIFESTS_BYTES } from './limits.js';
import { childrenOf, type IndexDocument, type ManifestDocument, parseManifest } from './manifest.js';
import { manifestKind } from './media-types.js';
import { digestError, lengthError } from './verified-stream.js';

/** What a walk found. */
export interface Walk {
  /** Every blob and manifest once, the root last, each one after all that it refers to. */
  readonly blobs: readonly Descriptor[];
  /** The indexes and manifests among them, parsed. */
  readonly documents: ReadonlyMap<Digest, IndexDocument | ManifestDocument>;
}

/** A walk under way: yields the manifest to read next, takes its bytes. */
export type Walking = Generator<Descriptor, Walk, Uint8Array>;

interface State {
  readonly blobs: Map<Digest, Descriptor>;
  readonly documents: Map<Digest, IndexDocument | ManifestDocument>;
  manifestBytes: number;
  totalBytes: number;
}

/**
 * Walks below `root`, at most `maxLevels` deep (the root is level 1). Checks each manifest's length and digest itself.
 *
 * @throws OciError `CONTENT_DIGEST`, `CONTENT_LENGTH`, `CONTENT_MALFORMED` (also too many, too deep), `CONTENT_UNSUPPORTED`
 */
export function* walkDescriptors(root: Descriptor, maxLevels: number): Walking {
  const state: State = { blobs: new Map(), documents: new Map(), manifestBytes: 0, totalBytes: 0 };
  yield* visit(state, root, maxLevels);
  return { blobs: [...state.blobs.values()], documents: state.documents };
}

/** Drives a walk with bytes that are at hand. */
export function walkSync(walking: Walking, read: (descriptor: Descriptor) => Uint8Array): Walk {
  let step = walking.next();
  while (step.done !== true) step = walking.next(read(step.value));
  return step.value;
}

/** Drives a walk with bytes that have to be fetched. */
export async function walkAsync(walking: Walking, read: (descriptor: Descriptor) => Promise<Uint8Array>): Promise<Walk> {
  let step = walking.next();
  while (step.done !== true) step = walking.next(await read(step.value));
  return step.value;
}

function* visit(state: State, descriptor: Descriptor, levelsLeft: number): Generator<Descriptor, void, Uint8Array> {
  if (levelsLeft === 0) throw malformed(`walk to ${descriptor.digest}`, 'a shallower image', 'one level more');
  if (known(state, descriptor)) return;
  if (manifestKind(descriptor.mediaType) !== undefined) {
    const bytes = yield* readManifest(state, descriptor);
    const document = parseManifest(bytes, descriptor.mediaType);
    state.documents.set(descriptor.digest, document);
    // A cycle would need a collision of SHA-256; levels bound the walk all the same.
    for (const child of childrenOf(document)) yield* visit(state, child, levelsLeft - 1);
  }
  state.totalBytes += descriptor.size;
  if (state.totalBytes > MAX_IMAGE_BYTES)
    throw lengthError(`all below ${descriptor.digest}`, `at most ${MAX_IMAGE_BYTES}`, `${state.totalBytes}`);
  if (state.blobs.size >= MAX_BLOBS) throw malformed('walk an image', `at most ${MAX_BLOBS} blobs`, 'more');
  state.blobs.set(descriptor.digest, descriptor);
}

/** One digest is one blob of one length, and is a manifest for everybody or for nobody. */
function known(state: State, descriptor: Descriptor): boolean {
  const before = state.blobs.get(descriptor.digest);
  if (before === undefined) return false;
  if (before.size !== descriptor.size) throw malformed(`walk to ${descriptor.digest}`, `size ${before.size} as before`, descriptor.size);
  if (manifestKind(before.mediaType) !== manifestKind(descriptor.mediaType)) {
    throw malformed(`walk to ${descriptor.digest}`, `media type ${before.mediaType} as before`, descriptor.mediaType);
  }
  return true;
}

function* readManifest(state: State, descriptor: Descriptor): Generator<Descriptor, Uint8Array, Uint8Array> {
  const { digest, size } = descriptor;
  if (size > MAX_MANIFEST_BYTES) throw lengthError(`manifest ${digest}`, `at most ${MAX_MANIFEST_BYTES}`, `${size}`);
  state.manifestBytes += size;
  if (state.manifestBytes > MAX_MANIFESTS_BYTES)
    throw lengthError('all manifests of an image', `at most ${MAX_MANIFESTS_BYTES}`, `${state.manifestBytes}`);
  const bytes = yield descriptor;
  if (bytes.length !== size) throw lengthError(`manifest ${digest}`, `${size}`, `${bytes.length}`);
  const got = sha256(bytes);
  if (got !== digest) throw digestError(`manifest ${digest}`, digest, got);
  return bytes;
}
