/** Carries a request for a certificate up and the answer back: to a promoter over HTTP, or into a folder that somebody carries on. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson, SealaneError, SiteError, utf8 } from '@sealane/core';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { BROUGHT_CERTIFICATE } from '../state-folder.js';
import type { CertifyAnswer, CertifyRequest } from './protocol.js';
import { readText, webClient } from './web-client-shell.js';

const TIMEOUT_MS = 30_000;

/** Three certificates of less than 2 KiB each. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** Sends the request; what comes back is written into the mirror as it is. */
export async function askForCertificate(
  request: CertifyRequest,
  world: { readonly disk: Disk; readonly signal: AbortSignal },
): Promise<CertifyAnswer> {
  try {
    if (/^https?:\/\//.test(request.to)) await post(request, world);
    else leave(request, world.disk);
    return { problem: null };
  } catch (error) {
    // unreachable, interrupted, refused, no space: the next round asks again
    if (error instanceof SealaneError || error instanceof Error) return { problem: error.message || error.name };
    throw error;
  }
}

async function post(
  { to, request: body, mirror }: CertifyRequest,
  { disk, signal }: { readonly disk: Disk; readonly signal: AbortSignal },
): Promise<void> {
  const client = webClient(null);
  try {
    const answer = await client.ask(`${to}/api/v1/certificates`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: canonicalJson(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await readText(answer, MAX_ANSWER_BYTES);
    if (answer.statusCode !== 200 && answer.statusCode !== 201)
      throw new SiteError('FETCH_FAILED', `ask ${to} for a certificate: expected 200, got ${answer.statusCode} ${text.slice(0, 300)}`);
    disk.makeFolder(mirror, 0o755);
    durableWrite(disk, path.join(mirror, BROUGHT_CERTIFICATE), utf8(text), 0o644);
  } finally {
    client.close();
  }
}

/** The courier brings it; the answer comes back on a medium. */
function leave({ to, site, request }: CertifyRequest, disk: Disk): void {
  mkdirSync(to, { recursive: true });
  durableWrite(disk, path.join(to, certificateRequestName(site)), canonicalJson(request), 0o644);
}

/** Name of a request outside of its site: beside receipts, and none of them. */
export function certificateRequestName(site: string): string {
  return `${site}.certificate-request`;
}
