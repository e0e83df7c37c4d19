/** An image whose one layer is a tar as somebody else made it, with whatever entries and modes. */
import { mkdirSync } from 'node:fs';
import { canonicalJson } from '@sealane/core';
import { openLayout, OCI_CONFIG, OCI_LAYER_TAR, OCI_MANIFEST } from '@sealane/oci';

/** Makes a layout in `folder` with it; returns the reference that `release create --image` takes. */
export async function archiveImage(folder: string, archive: Uint8Array): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const layout = await openLayout(folder, { create: 'if-missing' });
  const layer = await layout.putBlob(archive, { maxBytes: 1 << 30 });
  const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
  const config = await layout.putBlob(canonicalJson({ ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [layer.digest] } }), {
    maxBytes: 1 << 20,
  });
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, ...config },
    layers: [{ mediaType: OCI_LAYER_TAR, ...layer }],
  });
  const image = await layout.putBlob(manifest, { maxBytes: 1 << 20 });
  return `oci:${folder}@${image.digest}`;
}
