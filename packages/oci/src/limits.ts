/** Bounds of everything that comes from outside: each one stops a kind of endless or swollen input. */

/** An image manifest or index: OCI distribution 1.1 asks registries to take 4 MiB, so no honest one is larger. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** A layout's `index.json`: about 100,000 entries, far more than a lane lists. */
export const MAX_LAYOUT_INDEX_BYTES = 32 * 1024 * 1024;
/** A layout's `oci-layout` file: one short object. */
export const MAX_LAYOUT_MARKER_BYTES = 4 * 1024;
/** Nesting of any JSON document of OCI; real ones stay below 10. */
export const MAX_JSON_DEPTH = 32;
/** Descriptors in one index or manifest: Docker stops at 127 layers, a release at some hundred components. */
export const MAX_CHILDREN = 4096;
/** Blobs below one image or release: bounds the walk, whatever the manifests say. */
export const MAX_BLOBS = 10_000;
/** Levels of an image: index → index → manifest → blob. A release adds one. */
export const MAX_IMAGE_DEPTH = 4;
/** One blob: larger than any layer seen (model weights of 20 GB), smaller than a disk. */
export const MAX_BLOB_BYTES = 64 * 1024 ** 3;
/** All blobs of one image or release: what a lane's disk can be asked to hold in one step. */
export const MAX_IMAGE_BYTES = 256 * 1024 ** 3;
/** All manifests of one image or release: they are held in memory while it is copied. */
export const MAX_MANIFESTS_BYTES = 64 * 1024 * 1024;
/** A piece of a blob on its way to a registry, held in memory. GitHub's takes no longer ones. */
export const UPLOAD_PIECE_BYTES = 4 * 1024 * 1024;
/** A registry may ask for longer pieces (`OCI-Chunk-Min-Length`), up to this. */
export const MAX_UPLOAD_PIECE_BYTES = 64 * 1024 * 1024;
/** A token or error document of a registry. */
export const MAX_TOKEN_BYTES = 256 * 1024;

/** What unpacking may cost; bytes count file content, names count UTF-8 bytes. */
export interface UnpackLimits {
  readonly maxTotalBytes: number;
  readonly maxEntries: number;
  readonly maxNameBytes: number;
  readonly maxPathBytes: number;
  readonly maxDepth: number;
  readonly maxPaxBytes: number;
}

/** The bounds of `unpack` where the caller gives none: a full desktop image (20 GB, 300,000 files) passes, a bomb does not. */
export const DEFAULT_UNPACK_LIMITS: UnpackLimits = {
  maxTotalBytes: 32 * 1024 ** 3,
  maxEntries: 500_000,
  // NAME_MAX of every Linux file system
  maxNameBytes: 255,
  // PATH_MAX is 4096 with the folder we unpack into: keep well below
  maxPathBytes: 1024,
  maxDepth: 64,
  // one xattr may be 64 KiB, honest headers stay below 2 KiB
  maxPaxBytes: 64 * 1024,
};
