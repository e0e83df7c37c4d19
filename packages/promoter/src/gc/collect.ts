/**
 * What of a lane nothing needs any more. Everything that the log, the channels or the layout's index names stays, and all that those blobs name:
 * found by looking for digests in their text, so that a format which this file has never heard of keeps its blobs too.
 */
import { lstatSync, readdirSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { digestHex, equalBytes, fromUtf8, LedgerError, LIMITS, parseCheckpoint } from '@sealane/core';
import type { Ledger } from '@sealane/ledger';
import type { StillHome } from '../backup/still-home.js';
import { readNamed, readOptional, syncFolder } from '../disk-shell.js';
import type { Home } from '../home.js';
import { statementOf } from '../log/log-statements.js';
import { signedDigest } from '../trust/publish-payloads.js';
import { digestsIn } from './digests-in.js';
import { supersededTiles } from './superseded-tiles.js';
import { supersededTrust } from './superseded-trust.js';

/** A file that can go; `path` is relative to the lane, `bytes` its size. */
export interface Unneeded {
  readonly path: string;
  readonly bytes: number;
  readonly why: 'nothing names it' | 'left by a write that was cut' | 'replaced by a newer version' | 'part of a tile that is full';
}

/** The answer: what can go, or went, how many blobs stay, and how many of these only because they are new. */
export interface Collected {
  readonly deleted: boolean;
  readonly files: readonly Unneeded[];
  readonly bytes: number;
  readonly kept: number;
  readonly keptAsNew: number;
}

/** A release on its way in has blobs that nothing names yet: uploads of the largest take minutes. */
const GRACE_MS = 60 * 60 * 1000;
/** A site on a poor link, or a copy of the lane, may be in the middle of reading what was current yesterday. */
const READ_GRACE_MS = 24 * GRACE_MS;
/** Documents that name blobs are smaller: manifests, waybills, bundles. */
const MAX_DOCUMENT_BYTES = LIMITS.waybillBytes;
const BATCH = 500;

/**
 * Finds, and with `wish` `delete` removes, blobs that nothing names and temporary files, both only when they are older than an hour; and, when they are
 * older than a day, trust that newer versions have replaced and parts of tiles that are full.
 *
 * @throws LedgerError `LOG_RESTORED` the ledger does not know all that was published: it cannot say what is needed
 */
export async function collectContent({ home, ledger, lane }: StillHome, wish: 'list' | 'delete', nowMs: number): Promise<Collected> {
  await expectToKnowAll(home, ledger);
  const blobs = path.join(home.content, 'blobs', 'sha256');
  const names = readdirSync(blobs).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const needed = closure(new Set(names), blobs, [
    ...digestsIn(fromUtf8(readNamed(path.join(home.content, 'index.json'), 'index'))),
    ...[...lane.stages.values()].flatMap(({ channel }) => [...digestsIn(JSON.stringify(channel))]),
    ...(await namedInLog(ledger)),
  ]);
  const unnamed = names.filter((name) => !needed.has(name)).map((name) => path.join(blobs, name));
  const isOlder =
    (ms: number) =>
    (file: string): boolean =>
      nowMs - lstatSync(file).mtimeMs > ms;
  const old = unnamed.filter(isOlder(GRACE_MS));
  const cut = temporaryFiles(home.lane).filter(isOlder(GRACE_MS));
  const replaced = supersededTrust(home, lane).filter(isOlder(READ_GRACE_MS));
  const parts = supersededTiles(home, ledger).filter(isOlder(READ_GRACE_MS));
  const describe = (file: string, why: Unneeded['why']): Unneeded => ({
    path: path.relative(home.lane, file),
    bytes: lstatSync(file).size,
    why,
  });
  const files = [
    ...old.map((file) => describe(file, 'nothing names it')),
    ...cut.map((file) => describe(file, 'left by a write that was cut')),
    ...replaced.map((file) => describe(file, 'replaced by a newer version')),
    ...parts.map((file) => describe(file, 'part of a tile that is full')),
  ];
  if (wish === 'delete') remove([...old, ...cut, ...replaced, ...parts]);
  return {
    deleted: wish === 'delete',
    files,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    kept: names.length - old.length,
    keptAsNew: unnamed.length - old.length,
  };
}

/** A ledger that was restored from an old copy would call newer releases unneeded. */
async function expectToKnowAll(home: Home, ledger: Ledger): Promise<void> {
  const note = readOptional(path.join(home.log, 'checkpoint'));
  if (note === undefined) return;
  const { size, root } = parseCheckpoint(fromUtf8(note));
  const known = await ledger.size();
  if (size <= known && equalBytes(await ledger.rootAt(size), root)) return;
  throw new LedgerError(
    'LOG_RESTORED',
    `collect content: expected a ledger that extends the published ${size} entries, got another of ${known}`,
  );
}

async function namedInLog(ledger: Ledger): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  // what was erased names nothing any more
  const tolerant = ledger.noting(() => undefined);
  const size = await ledger.size();
  for (let at = 0; at < size; at += BATCH)
    for (const entry of await tolerant.entries(at, Math.min(BATCH, size - at)))
      for (const digest of [digestHex(signedDigest(entry)), ...digestsIn(JSON.stringify(statementOf(entry)))]) named.add(digest);
  return named;
}

/** The blobs that are named, and those that these name, and so on. */
function closure(there: ReadonlySet<string>, folder: string, roots: readonly string[]): ReadonlySet<string> {
  const needed = new Set<string>();
  // grows while it is walked
  const open = [...roots];
  for (const name of open) {
    if (needed.has(name) || !there.has(name)) continue;
    needed.add(name);
    const file = path.join(folder, name);
    if (lstatSync(file).size <= MAX_DOCUMENT_BYTES) open.push(...digestsIn(readFileSync(file, 'latin1')));
  }
  return needed;
}

/** What durable writes call their files before the rename. */
function temporaryFiles(lane: string): readonly string[] {
  return readdirSync(lane, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.startsWith('.') && entry.name.endsWith('.tmp'))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function remove(files: readonly string[]): void {
  for (const file of files) unlinkSync(file);
  for (const folder of new Set(files.map((file) => path.dirname(file)))) syncFolder(folder);
  // a folder of parts serves one tile alone
  for (const folder of new Set(files.map((file) => path.dirname(file)).filter((name) => name.endsWith('.p'))))
    if (readdirSync(folder).length === 0) rmdirSync(folder);
}
