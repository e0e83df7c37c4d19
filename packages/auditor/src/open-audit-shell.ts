/** Opens what an auditor was given: a home, or a copy of its ledger and lane. Nothing is written. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { AuditorError, type Digest, LIMITS, refuseService, SealaneError } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { ledgerAt, openLedger } from '@sealane/ledger';
import type { TufRead } from '@sealane/trust';
import type { AuditContext } from './answers/context.js';
import type { LaneFiles } from './answers/lane-files.js';
import type { LogFolder } from './answers/log-files.js';
import { hashedContent } from './content-hashes-shell.js';
import { readContent } from './content-shell.js';
import { BEFORE_ALL_EXPIRY, FIRST_ROOT, readLaneTrust } from './lane-trust.js';
import { withRegularFile } from './regular-file-shell.js';

/**
 * Opens the ledger and lane of a command's --home, runs `work`, closes them.
 *
 * @throws AuditorError `CONFIG_INVALID` no lane there; SealaneError `USAGE` a service was named; LedgerError for the ledger; TrustError `TRUST_*`
 */
export async function withAudit<T>(call: CommandCall, work: (context: AuditContext, lane: LaneFiles) => Promise<T>): Promise<T> {
  refuseService(call);
  const { options, io } = call;
  const home = path.resolve(io.cwd, typeof options['home'] === 'string' ? options['home'] : '.');
  const lane = typeof options['lane'] === 'string' ? path.resolve(io.cwd, options['lane']) : path.join(home, 'lane');
  const trust: TufRead = (name, maxBytes) => readBounded(path.join(lane, 'trust', name), maxBytes);
  const files: LaneFiles = { trust, content: () => hashedContent(path.join(lane, 'content')) };
  const { policies, roots } = readLaneTrust(firstRoot(path.join(lane, 'trust'), trust), trust);
  const ledger = await openLedger({
    ...ledgerAt(path.join(home, 'ledger', 'ledger.sqlite')),
    origin: policies[0]?.lane ?? '',
    readOnly: true,
    now: () => BEFORE_ALL_EXPIRY,
  });
  try {
    const readBlob = (digest: Digest): Uint8Array | undefined => readContent(path.join(lane, 'content'), digest);
    return await work({ ledger, policies, roots, readBlob, log: logFolder(path.join(lane, 'log')) }, files);
  } finally {
    await ledger.close();
  }
}

/** A lane's first root, at its word: the copy is what is audited. */
function firstRoot(folder: string, read: TufRead): Uint8Array {
  const first = read(FIRST_ROOT, LIMITS.rootBytes);
  if (first !== undefined) return first;
  throw new AuditorError('CONFIG_INVALID', `read the lane ${folder}: expected ${FIRST_ROOT}, got nothing`);
}

function logFolder(folder: string): LogFolder {
  return {
    list: () => listFiles(folder),
    read: (file, maxBytes) => {
      const name = path.join(folder, file);
      return statSync(name, { throwIfNoEntry: false })?.isFile() === true && statSync(name).size <= maxBytes
        ? new Uint8Array(readFileSync(name))
        : undefined;
    },
  };
}

/** Every file below a folder, and whatever else is not a folder; none when it is not there. */
function listFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name));
  return files.map((file) => path.relative(folder, file).split(path.sep).join('/')).sort();
}

function readBounded(file: string, maxBytes: number): Uint8Array | undefined {
  try {
    return withRegularFile(file, (handle, { size }) => {
      if (size > maxBytes) throw new AuditorError('TRUST_TOO_LARGE', `read ${file}: expected at most ${maxBytes} bytes, got ${size}`);
      return new Uint8Array(readFileSync(handle));
    });
  } catch (error) {
    if (error instanceof SealaneError) throw error;
    // absent is an answer
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}
