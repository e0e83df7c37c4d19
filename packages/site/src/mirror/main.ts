/**
 * The mirror of one release as a program of its own: `STORE RELEASE`. The first line of stdout is `{address}`; it ends when stdin does.
 *
 * `apply` starts it as a unit of systemd and it stands where the engine stands: `apply` itself has no network.
 */
import { parseDigest } from '@sealane/core';
import { openLayout } from '@sealane/oci';
import { serveRelease } from './serve-release-shell.js';

const [folder = '', release = ''] = process.argv.slice(2);
void serve();

async function serve(): Promise<void> {
  const talk = (line: string): void => void process.stderr.write(`${line}\n`);
  const mirror = await serveRelease(await openLayout(folder), parseDigest(release), talk);
  process.stdout.write(`${JSON.stringify({ address: mirror.address })}\n`);
  process.stdin.resume();
  process.stdin.once('close', () => process.exit());
}
