/** A key that answers late, as a token does that somebody has to touch. */
import path from 'node:path';
import type { TestHome } from './test-home.js';

/** A KEYREF of a helper that signs with a key of the lane once somebody has touched it: it makes the file `asked` beside the home, and waits for the file `touched`. */
export function slowHelper(lane: TestHome, key: string): string {
  const file = lane.file(
    'helper.cjs',
    `const [fs, crypto] = [require('node:fs'), require('node:crypto')];
const key = crypto.createPrivateKey(fs.readFileSync(${JSON.stringify(path.join(lane.home, 'keys', `${key}.pem`))}));
const { request, message } = JSON.parse(fs.readFileSync(0, 'utf8'));
const answer = (value) => console.log(JSON.stringify(value));
if (request === 'public-key') answer({ publicKey: crypto.createPublicKey(key).export({ type: 'spki', format: 'pem' }) });
else {
  fs.writeFileSync('asked', '');
  const timer = setInterval(() => {
    if (!fs.existsSync('touched')) return;
    clearInterval(timer);
    answer({ signature: crypto.sign('sha256', Buffer.from(message, 'base64'), key).toString('base64') });
  }, 20);
}
`,
  );
  return `exec:${process.execPath} ${file}`;
}
