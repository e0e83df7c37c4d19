/** The media types that we read and write: OCI 1.1 and, to read only, their Docker schema 2 twins. */

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER_TAR = 'application/vnd.oci.image.layer.v1.tar';
export const OCI_LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
/** The config of an artifact that has none: the two bytes `{}` (image-spec 1.1, manifest.md). */
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';

const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_LAYER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const DOCKER_LAYER_TAR = 'application/vnd.docker.image.rootfs.diff.tar';

/** What a manifest may be named in `Accept` when asking a registry. */
export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];

/** Whether a media type names an index, a manifest, or neither. */
export function manifestKind(mediaType: string): 'index' | 'manifest' | undefined {
  if (mediaType === OCI_INDEX || mediaType === DOCKER_LIST) return 'index';
  if (mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST) return 'manifest';
  return undefined;
}

/** Whether a config of this type describes a container image (and so names a platform and diff ids). */
export function isImageConfig(mediaType: string): boolean {
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG;
}

/** How a layer is compressed; undefined for types that we do not unpack (zstd, encrypted, foreign). */
export function layerCompression(mediaType: string): 'gzip' | 'none' | undefined {
  if (mediaType === OCI_LAYER_GZIP || mediaType === DOCKER_LAYER_GZIP) return 'gzip';
  if (mediaType === OCI_LAYER_TAR || mediaType === DOCKER_LAYER_TAR) return 'none';
  return undefined;
}
