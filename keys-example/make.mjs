// Makes the example keys anew and prints the list for packages/core/src/example-keys.ts. Run once: every lane made from the old ones breaks.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const folder = path.dirname(new URL(import.meta.url).pathname);
const statementKeys =
  'root-1 root-2 root-3 targets-1 targets-2 dev edge-preprod prod snapshot timestamp author builder lab alice bob registrar'.split(' ');
const noteKeys = ['log', 'witness'];
for (const name of [...statementKeys, ...noteKeys]) {
  const pair = noteKeys.includes(name) ? crypto.generateKeyPairSync('ed25519') : crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  fs.writeFileSync(path.join(folder, `${name}.pem`), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const id = crypto
    .createHash('sha256')
    .update(pair.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  console.log(`  '${id}', // ${name}`);
}
