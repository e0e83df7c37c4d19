/** A registry on loopback for the length of a pull, with the parts of one release: in this process, or in one that stands outside of its sandbox. */
import { type Digest, LIMITS, parseStrictJson, SiteError } from '@sealane/core';
import type { Layout } from '@sealane/oci';
import { boundedLines } from '../apply/bounded-lines.js';
import type { Units } from '../drivers/systemd-shell.js';
import { programBeside } from '../program-beside.js';
import { type RunningMirror, serveMirror } from './serve-shell.js';
import { servedContent } from './served-content.js';

const LOOPBACK = '127.0.0.1';
/** `{"address":"127.0.0.1:65535"}` */
const MAX_LINE_BYTES = 256;

/** Serves from here. */
export async function serveRelease(store: Layout, release: Digest, talk: (line: string) => void): Promise<RunningMirror> {
  const content = servedContent(store, [release], talk);
  return await serveMirror({ host: LOOPBACK, port: 0, store, content: () => content, talk });
}

/**
 * Serves from a unit of systemd, which ends with its standard input: also when the updater is killed.
 *
 * @throws SiteError `DRIVER_NOT_READY` it does not say where it listens
 */
export async function serveReleaseFromUnit(units: Units, storeFolder: string, release: Digest): Promise<RunningMirror> {
  const unit = units.pipe({
    properties: ['Description=Sealane mirror of one release', 'ProtectSystem=strict', 'NoNewPrivileges=yes', 'CapabilityBoundingSet='],
    cwd: '/',
    argv: [process.execPath, programBeside('sealane-site-mirror'), storeFolder, release],
  });
  unit.stdin.on('error', () => undefined);
  const close = async (): Promise<void> => {
    unit.stdin.end();
    await unit.ended;
  };
  const address = await addressFrom(boundedLines(unit.stdout, MAX_LINE_BYTES));
  if (address !== undefined) return { address, close };
  await close();
  throw new SiteError('DRIVER_NOT_READY', `serve the images of ${release} to the engine: expected an address, got none`);
}

async function addressFrom(lines: AsyncIterator<Uint8Array, void>): Promise<string | undefined> {
  const { value } = await lines.next();
  if (value === undefined) return undefined;
  const said = parseStrictJson(value, { maxBytes: MAX_LINE_BYTES, maxDepth: LIMITS.jsonDepth });
  return typeof said === 'object' && said !== null && 'address' in said && typeof said['address'] === 'string'
    ? said['address']
    : undefined;
}
