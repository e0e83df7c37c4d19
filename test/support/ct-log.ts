/** A log of certificates that promises what it is asked to (RFC 6962, section 3.2): verifiers want its promise in a certificate, and none of them asks the log. */
import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { X509Certificate } from '@sigstore/core';
import type { CtLog } from './authorities.js';
import { type Authority, nodeKey } from './certificates.js';

/** Marks a certificate that is not yet one. */
const POISON = '1.3.6.1.4.1.11129.2.4.3';

/** Starts one for the certificates of an authority. The caller stops it. */
export async function startCtLog(ca: Authority): Promise<CtLog & { stop(): Promise<void> }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  const issuer = createPublicKey(await nodeKey(ca.issuing)).export({ type: 'spki', format: 'der' });
  const issuerKeyHash = createHash('sha256').update(issuer).digest();
  const promise = (precertificate: Buffer): object => {
    const timestamp = Date.now();
    const tbs = withoutPoison(precertificate);
    const [time, length] = [Buffer.alloc(8), Buffer.alloc(4)];
    time.writeBigUInt64BE(BigInt(timestamp));
    length.writeUInt32BE(tbs.length);
    // version 1, a promise, of a precertificate; no extensions behind it
    const said = Buffer.concat([Buffer.of(0, 0), time, Buffer.of(0, 1), issuerKeyHash, length.subarray(1), tbs, Buffer.of(0, 0)]);
    const signature = sign('sha256', said, privateKey);
    const digitallySigned = Buffer.concat([Buffer.of(4, 3, signature.length >> 8, signature.length & 0xff), signature]);
    return { sct_version: 0, id, timestamp, extensions: '', signature: digitallySigned.toString('base64') };
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { chain } = JSON.parse(Buffer.concat(parts).toString()) as { readonly chain: readonly string[] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(promise(Buffer.from(chain[0] ?? '', 'base64'))));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/ct`,
    publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })),
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

/** What is signed of the certificate that will be: the same without the mark. */
function withoutPoison(precertificate: Buffer): Buffer {
  const certificate = X509Certificate.parse(Buffer.from(precertificate));
  const { extensions } = certificate;
  const at = extensions.findIndex(({ subs }) => subs[0]?.toOID() === POISON);
  extensions.splice(at, 1);
  return certificate.tbsCertificate.toDER();
}
