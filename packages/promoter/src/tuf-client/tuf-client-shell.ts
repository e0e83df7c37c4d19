/** A TUF client for the command line: the workflow of `trust`, driven over a network or a folder, with durable state. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { LIMITS } from '@sealane/core';
import {
  driveTufAsync,
  encodeRole,
  type LocatedTarget,
  locateFlow,
  refreshFlow,
  targetFlow,
  type TrustedMetadata,
  type TufRequest,
  type TufRules,
  type TufState,
} from '@sealane/trust';
import { durableWrite, PUBLIC_FILE, readOptional } from '../disk-shell.js';
import type { MetadataFolder } from './metadata-folder-shell.js';
import type { ReadFile } from './source-shell.js';

/** Targets are held in memory while they are checked; a lane's are under 1 MiB, other repositories' may be archives. */
const MAX_TARGET_BYTES = LIMITS.evidenceBlobBytes;

/** What one run needs. `targets` and `targetFolder` are for downloads. */
export interface TufClient {
  readonly folder: MetadataFolder;
  readonly metadata: ReadFile;
  readonly targets: ReadFile;
  readonly targetFolder: string;
  readonly rules: TufRules;
  readonly now: string;
}

/**
 * Refreshes, then downloads each target in order.
 *
 * Under `plain` rules every role is kept as soon as it is trusted (TUF 5.4.5, 5.5.7, 5.6.6). Under `lane` rules only proven roots are, until everything
 * that was asked for holds: then all at once, so a refusal leaves copies and version floors as they were.
 *
 * @throws TrustError `TRUST_*`; PromoterError `FETCH_FAILED`
 */
export async function runTufClient(client: TufClient, names: readonly string[]): Promise<void> {
  const pending = new Map<string, Uint8Array>();
  const answer = answersOf(client, pending);
  const run = { rules: client.rules, expiry: 'network', now: client.now } as const;
  const trusted = await driveTufAsync(refreshFlow(run, client.folder.state()), answer);
  const downloads: (() => void)[] = [];
  for (const name of names) {
    const save = await download(client, trusted, name, answer);
    if (client.rules === 'plain') save();
    else downloads.push(save);
  }
  for (const save of downloads) save();
  for (const [role, bytes] of pending) client.folder.keepCopy(role, bytes);
  client.folder.saveState(trusted.state);
}

function answersOf(client: TufClient, pending: Map<string, Uint8Array>): (request: TufRequest) => Promise<Uint8Array | undefined> {
  const keep = (role: string, bytes: Uint8Array, state: TufState): void => {
    if (client.rules === 'lane' && role !== 'root') {
      pending.set(role, bytes);
      return;
    }
    client.folder.keepCopy(role, bytes);
    client.folder.saveState(state);
  };
  return async (request) => {
    switch (request.ask) {
      case 'cached':
        return pending.get(request.role) ?? client.folder.copyOf(request.role);
      case 'keep':
        keep(request.role, request.bytes, request.state);
        return undefined;
      case 'fetch':
        return await fetchFile(client, request.name, request.maxBytes);
    }
  };
}

/** The workflow names files below one base; the command line has one for metadata and one for targets. */
async function fetchFile(client: TufClient, name: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const [, area, rest = ''] = /^(metadata|targets)\/(.*)$/s.exec(name) ?? [];
  if (area === 'metadata') return await client.metadata(rest, maxBytes);
  return await client.targets(rest.split('/').map(encodeRole).join('/'), maxBytes);
}

/** Brings one target into hand; the returned function puts it into its folder. One that lies there already is not fetched again. */
async function download(
  client: TufClient,
  trusted: TrustedMetadata,
  name: string,
  answer: (request: TufRequest) => Promise<Uint8Array | undefined>,
): Promise<() => void> {
  const located = await driveTufAsync(locateFlow(trusted, name), answer);
  const file = path.join(client.targetFolder, targetFileName(name));
  if (existsSync(file) && isListed(readOptional(file), located)) return () => undefined;
  const { bytes } = await driveTufAsync(targetFlow(trusted, located, MAX_TARGET_BYTES), answer);
  return () => durableWrite(file, bytes, PUBLIC_FILE);
}

/** One file for one target, whatever its name: no folders, no hidden files, no way out. */
function targetFileName(name: string): string {
  return encodeRole(name).replace(/^\./, '%2E');
}

function isListed(bytes: Uint8Array | undefined, { entry }: LocatedTarget): boolean {
  if (bytes?.length !== entry.lengthBytes) return false;
  return [...entry.hashes].every(([algorithm, expected]) => createHash(algorithm).update(bytes).digest('hex') === expected);
}
