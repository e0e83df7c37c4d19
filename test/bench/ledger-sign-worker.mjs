// Signs statements and makes their leaves, beside the thread that writes them. What goes over is a few long texts of bytes, and no object for each.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { encodeLogLeaf, INTOTO_PAYLOAD_TYPE, leafHash, pae, sha256, sha256Raw } from '../../dist/core.mjs';
import { pack, unpack } from './packed.mjs';

const keys = new Map(
  Object.entries(workerData.keys).map(([name, pem]) => {
    const key = createPrivateKey(pem);
    return [name, { key, spki: new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })) }];
  }),
);

parentPort.on('message', ({ id, signers, payloads }) => {
  const signed = unpack(payloads).map((payload, at) => signedBy(keys.get(signers[at]), payload));
  const leaves = pack(signed.map(({ leaf }) => leaf));
  const hashes = pack(signed.map(({ hash }) => hash));
  parentPort.postMessage({ id, leaves, hashes, digests: signed.map(({ digest }) => digest) }, [leaves.bytes.buffer, hashes.bytes.buffer]);
});

function signedBy({ key, spki }, payload) {
  const signed = pae(INTOTO_PAYLOAD_TYPE, payload);
  const leaf = encodeLogLeaf({ paeDigest: sha256Raw(signed), signature: new Uint8Array(sign('sha256', signed, key)), spki });
  return { leaf, hash: leafHash(leaf), digest: sha256(payload) };
}
