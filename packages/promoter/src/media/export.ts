/** A medium: the part of the lane that some sites of one stage need, as the same static tree. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { digestFromHex, digestHex, type Digest, PromoterError, sha256 } from '@sealane/core';
import { walkRelease } from '@sealane/oci';
import { parseWaybill } from '@sealane/trust';
import { mailOf } from '../channel/site-mail.js';
import { foundInPlaceOf, readBlob } from '../content.js';
import { readNamed, readOptional, writeAnew } from '../disk-shell.js';
import { type Promoter, stageOf } from '../promoter.js';
import { chainFile } from '../site-ca/names.js';
import { type Audience, type AudienceWish, audienceOf } from './audience.js';
import { expectMediumFolder, expectNoLinks, FIRST_ROOT } from './medium-folder.js';

const BLOBS = path.join('content', 'blobs', 'sha256');

const PUT_BACK = 'put back content/ of the lane from a mirror or a backup; for what is missing elsewhere: sealane audit verify';

export interface ExportedMedium {
  readonly out: string;
  readonly stage: string;
  /** Names of the groups whose releases are on it, and of the sites whose own mail and certificates are; null: all of the stage. */
  readonly groups: readonly string[];
  readonly sites: readonly string[] | null;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Writes a medium, or brings one of this lane up to date. The timestamp is written last: a medium that was pulled too early has none and is refused as
 * a whole.
 *
 * @throws PromoterError `CONTENT_MISSING` the lane lacks a blob that a release names, or has other bytes under its name; `CONTENT_DIGEST` another blob is other bytes: the medium has no timestamp, and is none; `CONTENT_UNSAFE` as `expectNoLinks`, and nothing was written; and as `audienceOf`, `expectMediumFolder`
 */
export async function exportMedium(promoter: Promoter, wish: AudienceWish, out: string): Promise<ExportedMedium> {
  const { stage } = wish;
  const audience = await audienceOf(promoter, wish);
  const { lane } = promoter.home;
  expectMediumFolder(out, lane);
  const names = [...contentFiles(promoter, stage, audience), ...filesBelow(lane, 'log'), ...filesBelow(lane, 'trust')];
  const certificates = await certificatesOf(promoter, stage, audience);
  const timestamp = path.join('trust', 'metadata', 'timestamp.json');
  expectNoLinks(out, [...certificates.map(([name]) => name), ...names]);
  const ordered = [...names.filter((name) => name !== timestamp && name !== FIRST_ROOT), timestamp];
  let bytes = 0;
  const write = (name: string, content: Uint8Array | string): void => {
    writeAnew(path.join(out, name), content);
    bytes += content.length;
  };
  write(FIRST_ROOT, readNamed(path.join(lane, FIRST_ROOT), 'lane file'));
  for (const [name, pem] of certificates) write(name, pem);
  for (const name of ordered) write(name, expectOwnBytes(name, readNamed(path.join(lane, name), 'lane file')));
  const sites = audience.sites === null ? null : [...audience.sites].sort();
  return { out, stage, groups: [...audience.groups].sort(), sites, files: 1 + ordered.length + certificates.length, bytes };
}

/** Loaded only where sites are certified: X.509 costs a start tens of milliseconds. */
async function certificatesOf(
  promoter: Promoter,
  stage: string,
  { sites }: Audience,
): Promise<readonly (readonly [name: string, pem: string])[]> {
  if (readOptional(chainFile(promoter.home)) === undefined) return [];
  return await (await import('../site-ca/on-medium.js')).certificatesFor(promoter, stage, sites);
}

/** Blobs of every release that the stage's channel names for these groups, with waybills and what those name; and what makes the folder an OCI layout. */
function contentFiles(promoter: Promoter, stage: string, { groups, sites }: Audience): readonly string[] {
  const { channel } = stageOf(promoter, stage);
  const digests = new Set<Digest>(mailOf(promoter, channel, sites));
  for (const { release, waybill } of channel.groups.filter(({ name }) => groups.has(name))) {
    digests.add(waybill);
    for (const blob of parseWaybill(readHere(promoter, waybill)).blobs) digests.add(blob.digest);
    digests.add(release);
    for (const blob of walkRelease((digest) => readHere(promoter, digest), release).blobs) digests.add(blob.digest);
  }
  return [
    path.join('content', 'oci-layout'),
    path.join('content', 'index.json'),
    ...[...digests].map((digest) => path.join(BLOBS, digestHex(digest))),
  ];
}

function readHere(promoter: Promoter, digest: Digest): Uint8Array {
  const bytes = readBlob(promoter, digest);
  if (bytes === undefined)
    throw new PromoterError(
      'CONTENT_MISSING',
      `export ${digest}: expected it in the lane's content, got ${foundInPlaceOf(promoter, digest)}`,
      { digest },
      { hint: PUT_BACK },
    );
  return bytes;
}

/** No courier carries what every site would refuse. */
function expectOwnBytes(name: string, bytes: Uint8Array): Uint8Array {
  if (path.dirname(name) !== BLOBS) return bytes;
  const [digest, got] = [digestFromHex(path.basename(name)), sha256(bytes)];
  if (got !== digest)
    throw new PromoterError(
      'CONTENT_DIGEST',
      `export ${digest}: expected its bytes in ${name}, got ${got}`,
      { digest, got },
      { hint: PUT_BACK },
    );
  return bytes;
}

/** Published files of a folder of the lane, without what a running publish leaves for a moment. A lane in which nothing was logged has no log yet. */
function filesBelow(lane: string, folder: string): readonly string[] {
  if (!existsSync(path.join(lane, folder))) return [];
  return readdirSync(path.join(lane, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => path.relative(lane, path.join(entry.parentPath, entry.name)))
    .sort();
}
