// Takes the publish lock that its one word names, says so, and keeps it until it is killed.
import { writeSync } from 'node:fs';
import { withPublishLock } from '../../dist/ledger.mjs';

const [file] = process.argv.slice(2);
await withPublishLock({ file }, () => {
  writeSync(1, `${JSON.stringify({ pid: process.pid })}\n`);
  // what nothing refers to any more is collected, and its lock with it: the timer keeps the end that never comes
  return new Promise((resolve) => setInterval(() => void resolve, 1 << 30));
});
