/**
 * The `fetch` process: requests on stdin, answers on stdout, one JSON object a line. It ends when stdin does.
 *
 * It is started by `apply` and holds nothing that matters: no key, no trust state, no journal. It writes the mirror and the offer.
 */
import { createInterface } from 'node:readline';
import { fetchWorld } from './fetch-world-shell.js';
import type { FetchRequest } from './protocol.js';
import { serveFetch } from './worker.js';

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
// Ctrl-C goes to the whole group: `apply` decides what ends
process.on('SIGINT', () => undefined);

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
// whoever asked is gone or wants no more: two of us must never write one mirror. What was under way is safe to break off anywhere
lines.once('close', () => process.exit());

let last: Promise<void> = Promise.resolve();
lines.on('line', (line) => {
  last = last.then(() => answer(JSON.parse(line) as FetchRequest));
});

async function answer(request: FetchRequest): Promise<void> {
  process.stdout.write(`${JSON.stringify(await serveFetch(request, fetchWorld(stop.signal)))}\n`);
}
