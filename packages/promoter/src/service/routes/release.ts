/** Routes about releases and their content. */
import { isDigest, LIMITS, PromoterError } from '@sealane/core';
import { MAX_BLOB_BYTES, openLayout } from '@sealane/oci';
import { z } from 'zod';
import { command as listCommand } from '../../commands/release-list.js';
import { command as revokeCommand } from '../../commands/revoke.js';
import { command as showCommand } from '../../commands/release-show.js';
import { acceptRelease } from '../../release/accept.js';
import { blobShape, digestShape, madeReleaseShape, releaseListShape, releaseShape, statementsShape } from '../answers.js';
import { route } from '../route.js';

/** A release in an address: a digest, or a name and version. */
export const releaseParam = z.strictObject({ release: z.string().min(1).max(160).describe('sha256:… or NAME@VERSION') });

export const RELEASE_ROUTES = [
  route({
    id: 'release.create',
    method: 'POST',
    path: '/api/v1/releases',
    summary: 'take in a release that its author signed; its blobs were uploaded before',
    bytes: { mediaType: 'application/json', description: 'the Sigstore bundle of the release statement' },
    answer: madeReleaseShape,
    urgency: 'normal',
    run: async (_, { body, locked }) => {
      const bytes = await body(LIMITS.bundleBytes);
      return { exit: 0, json: await locked((promoter) => acceptRelease(promoter, bytes)), text: '' };
    },
  }),
  route({
    id: 'release.list',
    method: 'GET',
    path: '/api/v1/releases',
    summary: 'list releases with the stages they reached',
    answer: releaseListShape,
    run: (_, { command }) => command(listCommand, [], {}),
  }),
  route({
    id: 'release.show',
    method: 'GET',
    path: '/api/v1/releases/{release}',
    summary: 'show the parts of a release and every statement about it',
    params: releaseParam,
    answer: releaseShape,
    run: ({ params }, { command }) => command(showCommand, [params.release], {}),
  }),
  route({
    id: 'blob.add',
    method: 'PUT',
    path: '/api/v1/blobs/{digest}',
    summary: 'upload a blob of a release or of evidence',
    params: z.strictObject({ digest: digestShape }),
    bytes: { mediaType: 'application/octet-stream', description: 'bytes of that digest; content-length is needed' },
    answer: blobShape,
    run: async ({ params: { digest } }, { content, contentLength, stream }) => {
      if (!isDigest(digest)) throw new PromoterError('DIGEST_MALFORMED', `upload a blob: expected a digest, got ${digest}`);
      if (contentLength > MAX_BLOB_BYTES)
        throw new PromoterError('FILE_TOO_LARGE', `upload blob ${digest}: expected at most ${MAX_BLOB_BYTES} bytes, got ${contentLength}`);
      const layout = await openLayout(content, { create: 'if-missing' });
      const put = await layout.putBlob(stream, { expected: digest, size: contentLength, maxBytes: MAX_BLOB_BYTES });
      return { exit: 0, json: put, text: '' };
    },
  }),
  route({
    id: 'revoke',
    method: 'POST',
    path: '/api/v1/releases/{release}/revocation',
    summary: 'call a release back for good',
    params: releaseParam,
    json: z.strictObject({ reason: z.string().min(1).max(1000), floor: z.boolean().default(false) }),
    answer: statementsShape,
    urgency: 'urgent',
    run: ({ params, json }, { command }) => command(revokeCommand, [params.release], { reason: json.reason, floor: json.floor }),
  }),
];
