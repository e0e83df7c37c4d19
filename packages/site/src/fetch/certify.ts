/** Carries a request for a certificate up and the answer back: to a promoter over HTTP, or into a folder that somebody carries on; to the first place that takes it. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson, SiteError, utf8 } from '@sealane/core';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import { BROUGHT_CERTIFICATE } from '../state-folder.js';
import type { CertifyAnswer, CertifyRequest } from './protocol.js';
import { readFirstTls } from './routes/place-tls.js';
import type { Place } from './routes/place.js';
import { openTolerantRoutes } from './routes/tolerant-routes.js';
import { saidBy } from './said-by.js';
import type { FetchWorld } from './sync-run.js';
import { readText, webClient } from './web-client-shell.js';

const TIMEOUT_MS = 30_000;

/** Three certificates of less than 2 KiB each. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** Sends the request, to places that receipts could not be sent to last unless the order is that of their names; what comes back is written into the mirror as it is. */
export async function askForCertificate(request: CertifyRequest, world: FetchWorld): Promise<CertifyAnswer> {
  const problems: string[] = [];
  const said = (error: unknown): void => {
    if (!(error instanceof Error)) throw error;
    problems.push(error.message || error.name);
  };
  const { receiptsTo, order, mirror } = request;
  for (const place of order === 'as-named' ? receiptsTo : openTolerantRoutes(mirror, world, 0, said).order(receiptsTo)) {
    try {
      if (/^https?:\/\//.test(place.at)) await post(place, request, world);
      else leave(place.at, request, world.disk);
      return { problem: null };
    } catch (error) {
      // unreachable, interrupted, refused, no space: another place may answer, and the next round asks again
      said(error);
    }
  }
  return { problem: problems.join('; ') };
}

async function post({ at, tls, proxy }: Place, { request: body, mirror }: CertifyRequest, { disk, signal }: FetchWorld): Promise<void> {
  const client = webClient(tls === null ? null : readFirstTls(tls), proxy);
  try {
    const answer = await client.ask(`${at}/api/v1/certificates`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: canonicalJson(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await readText(answer, MAX_ANSWER_BYTES);
    if (answer.statusCode !== 200 && answer.statusCode !== 201)
      throw new SiteError('FETCH_FAILED', `ask ${at} for a certificate: expected 200, got ${answer.statusCode}${saidBy(answer, text)}`);
    disk.makeFolder(mirror, 0o755);
    durableWrite(disk, path.join(mirror, BROUGHT_CERTIFICATE), utf8(text), 0o644);
  } finally {
    client.close();
  }
}

/** The courier brings it; the answer comes back on a medium. */
function leave(folder: string, { site, request }: CertifyRequest, disk: Disk): void {
  mkdirSync(folder, { recursive: true });
  durableWrite(disk, path.join(folder, certificateRequestName(site)), canonicalJson(request), 0o644);
}

/** Name of a request outside of its site: beside receipts, and none of them. */
export function certificateRequestName(site: string): string {
  return `${site}.certificate-request`;
}
