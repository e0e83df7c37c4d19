/**
 * The prober: questions on stdin, answers on stdout, one JSON object a line, in the same order. It ends when stdin does.
 *
 * It is started by `apply` as a unit of systemd and stands where the workload stands: `apply` itself has no network.
 */
import { createInterface } from 'node:readline';
import { laidVariables } from '../drivers/credentials.js';
import { type HealthProbe, problemOf } from './probe.js';
import { problemLine } from './probe-wire.js';
import type { ProbePlace } from './prober.js';

const stop = new AbortController();
const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.once('close', () => process.exit());

let last: Promise<void> = Promise.resolve();
lines.on('line', (line) => {
  const { question, place } = JSON.parse(line) as { readonly question: HealthProbe; readonly place: ProbePlace };
  const env = { PATH: process.env['PATH'], ...place.env, ...laidVariables(process.env, place.env) };
  const problem = problemOf(question, { cwd: place.cwd, env, signal: stop.signal });
  last = last.then(async () => void process.stdout.write(problemLine(await problem)));
});
