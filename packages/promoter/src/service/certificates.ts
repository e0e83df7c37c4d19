/** Requests of sites for certificates. Each is signed by the key of the site's record, so whoever brings it need not be known, nor have a certificate that still holds. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERRORS, LIMITS, readCertificateRequest, SealaneError } from '@sealane/core';
import { readBody } from './body-shell.js';
import type { ReceiptParts } from './receipts.js';
import { send } from './send.js';

/** Answers with the certificate and its chain in PEM; the same request gets the same answer, so a site may send it again. */
export async function answerCertificateRequest(
  { queue, bodies, locked, log }: ReceiptParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // a body that was cut off takes the socket with it
  const from = request.socket.remoteAddress;
  try {
    const body = await readBody(request, response, LIMITS.certificateRequestBytes, bodies);
    // what is no request is turned away before it takes anybody's turn
    const wish = readCertificateRequest(body);
    const { certifySite } = await import('../site-ca/certify.js');
    const certified = await queue.run('low', () => locked((promoter) => certifySite(promoter, wish)));
    log.info({ site: certified.site, serial: certified.serial, notAfter: certified.notAfter }, 'certified');
    send(response, 200, certified.chain, { 'content-type': 'application/pem-certificate-chain' });
  } catch (error) {
    if (!(error instanceof SealaneError) || ERRORS[error.code].exit === 1) throw error;
    log.warn({ from, code: error.code, reason: error.message }, 'refused a certificate');
    send(response, statusOf(error), 'refused\n', { connection: 'close' });
  }
}

function statusOf({ code }: SealaneError): number {
  if (code === 'FILE_TOO_LARGE') return 413;
  // pending, away, or an authority that a person has to see to: the site asks again
  return [5, 6, 8].includes(ERRORS[code].exit) || code.startsWith('AUTHORITY_') ? 503 : 400;
}
