/** The public surface of `oci`, listed by hand. */
export { importArchive } from './archive.js';
export { attach, type Attached, type Attachment, type AttachTarget, listed } from './attach.js';
export { readFileInPlace } from './blob-file.js';
export { type ArtifactInput, buildArtifact, buildFiles, buildImage, buildImageIndex, buildLayer, type ImageInput } from './build-image.js';
export { copyFrom, copyImage } from './copy.js';
export { bareDescriptor, type Descriptor, descriptorJson, parseDescriptor, type Platform } from './descriptor.js';
export { extractLayer } from './extract.js';
export { type Flattened, flattenImage, type FlattenOptions, readArtifact, unpackFiles } from './flatten.js';
export { type ImageSource, layoutSource, registrySource, type RootManifest } from './image-source.js';
export { type Layout, openLayout, type PutOptions } from './layout.js';
export { REF_NAME } from './layout-index.js';
export { loginsOf } from './logins-shell.js';
export { DEFAULT_UNPACK_LIMITS, MAX_BLOB_BYTES, MAX_MANIFEST_BYTES, type UnpackLimits } from './limits.js';
export { childrenOf, type IndexDocument, type ManifestDocument, parseManifest } from './manifest.js';
export { manifestKind, OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_LAYER_GZIP, OCI_LAYER_TAR, OCI_MANIFEST } from './media-types.js';
export { gzip, packedFile, type PackEntry, packTar } from './pack.js';
export { pushFrom, type PushCount, type PushTarget } from './push.js';
export { readFolder } from './read-folder.js';
export {
  type DockerReference,
  formatReference,
  isLoopback,
  type LocalReference,
  parseReference,
  parseRepository,
  type Reference,
  type RepositoryName,
} from './reference.js';
export type { RegistryClient, RegistryOptions, ServedManifest } from './registry.js';
export type { RegistryCredentials } from './registry-auth.js';
export type { Patience } from './registry-http.js';
export {
  COMPONENT_ARTIFACT_TYPES,
  type ComponentKind,
  encodeReleaseManifest,
  parseReleaseManifest,
  RELEASE_ARTIFACT_TYPE,
  type ReleaseComponent,
  type ReleaseDoc,
} from './release-manifest.js';
export { type ReadBlobSync, type WalkedRelease, walkRelease } from './release-walk.js';
export type { AbsoluteLinks } from './safe-path.js';
export type { UnpackOptions } from './slot.js';
export { syncTree } from './sync-tree.js';
export { readTar, type TarEntry } from './tar-reader.js';
export { withRegistry } from './with-registry.js';
