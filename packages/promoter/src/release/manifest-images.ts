/** Refuses a manifest that names an image by a tag: the release would be immutable and what it runs would not. */
import path from 'node:path';
import { PromoterError } from '@sealane/core';
import type { ReleaseComponent } from '@sealane/trust';
import { readManifestFile, readManifestPart, unpinnedImages } from '@sealane/trust/promoter-gates';
import { readBlob } from '../content.js';
import type { Promoter } from '../promoter.js';

/** File names that say they are YAML: one that does not parse is a mistake, not another format. */
const YAML_NAME = /\.(?:ya?ml|json)$/i;

/**
 * Checks one manifest file.
 *
 * @throws PromoterError `MANIFEST_UNPINNED` naming file and line of each such image; `CONFIG_INVALID` YAML by its name that does not parse
 */
export function expectPinnedImages(file: string, bytes: Uint8Array): void {
  const manifest = readManifestFile(path.basename(file), bytes);
  if (manifest.format === 'text' && YAML_NAME.test(file))
    throw new PromoterError('CONFIG_INVALID', `read ${file}:${manifest.line}: ${manifest.why}`, { file, line: manifest.line });
  const [first, ...more] = unpinnedImages(manifest);
  if (first === undefined) return;
  const others = more.length === 0 ? '' : `; so do lines ${more.map(({ line }) => line).join(', ')}`;
  throw new PromoterError(
    'MANIFEST_UNPINNED',
    `read ${file}:${first.line}: expected an image by digest, NAME@sha256:…, got ${first.what}${others}`.slice(0, 2000),
    { file, line: first.line },
  );
}

/**
 * As `expectPinnedImages`, for every manifest among the parts of a release that was made elsewhere: whoever made it may not have looked.
 *
 * @throws PromoterError as there; `CONTENT_MISSING`, `CONTENT_DIGEST`, `PAYLOAD_REFUSED` a manifest that cannot be read
 */
export function expectPinnedParts(
  promoter: Pick<Promoter, 'home'>,
  parts: readonly Pick<ReleaseComponent, 'name' | 'kind' | 'digest'>[],
): void {
  for (const { name, kind, digest } of parts) {
    if (kind !== 'manifest') continue;
    const part = readManifestPart((blob) => readBlob(promoter, blob), name, digest);
    if (!part.ok) throw new PromoterError(part.code, `read manifest ${name}: ${part.why}`, { digest });
    expectPinnedImages(part.file, part.bytes);
  }
}
