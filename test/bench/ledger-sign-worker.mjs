// Signs statements and makes their leaves, beside the thread that writes them.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { INTOTO_PAYLOAD_TYPE, leafHash, logLeaf, makeEnvelope, pae, sha256 } from '../../dist/core.mjs';

const keys = new Map(
  Object.entries(workerData.keys).map(([name, pem]) => {
    const key = createPrivateKey(pem);
    return [name, { key, spki: new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })) }];
  }),
);

parentPort.on('message', ({ id, batch }) => {
  parentPort.postMessage({ id, signed: batch.map(({ signer, payload }) => signedBy(keys.get(signer), payload)) });
});

function signedBy({ key, spki }, payload) {
  const signature = new Uint8Array(sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), key));
  const leaf = logLeaf(makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature), spki);
  return { signature, leaf, leafHash: leafHash(leaf), statementDigest: sha256(payload) };
}
