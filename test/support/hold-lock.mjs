// Takes the publish lock that its one word names, says so, and keeps it until it is killed.
import { writeSync } from 'node:fs';
import { withPublishLock } from '../../dist/ledger.mjs';

const [file] = process.argv.slice(2);
await withPublishLock({ file }, () => {
  writeSync(1, `${JSON.stringify({ pid: process.pid })}\n`);
  return new Promise(() => setInterval(() => undefined, 1 << 30));
});
