/** The key that opens secrets of this site: made here, never leaves. What it is for is in the record, so that others can seal to it. */
import { makeSealingKey, openSealingKey as openIdentity, type SealingKey, shellWord, SiteError, utf8 } from '@sealane/core';
import type { Disk } from './disk.js';
import { durableWrite } from './durable-write.js';

/** An identity of age is one line of 75 characters. */
const MAX_KEY_BYTES = 4096;

/** Bits by which others than the owner could read or write. */
const OTHERS = 0o077;

/** The key that is there, or a new one, readable by its owner only. @throws as `openSealingKey` */
export async function ownSealingKey(disk: Disk, file: string): Promise<SealingKey> {
  if (disk.kind(file) !== 'nothing') return await openSealingKey(disk, file);
  const key = await makeSealingKey();
  durableWrite(disk, file, utf8(`${key.identity}\n`), 0o600);
  return key;
}

/**
 * Opens it.
 *
 * @throws SiteError `NOT_ENROLLED` there is none: a site that was enrolled before there were secrets; `KEY_EXPOSED`; CoreError `KEY_MALFORMED`
 */
export async function openSealingKey(disk: Disk, file: string): Promise<SealingKey> {
  const bytes = disk.read(file, MAX_KEY_BYTES);
  if (bytes === undefined)
    throw new SiteError(
      'NOT_ENROLLED',
      `open the sealing key of this site: expected ${file}, got nothing`,
      { path: file },
      { hint: 'enrol again, which keeps the key of this site: sealane-site enroll --name NAME --out REQUEST' },
    );
  if ((disk.mode(file) & OTHERS) !== 0)
    throw new SiteError(
      'KEY_EXPOSED',
      `open the sealing key ${file}: expected mode 0600, others can read or write it`,
      { path: file },
      { hint: `run: chmod 600 ${shellWord(file)}` },
    );
  return await openIdentity(new TextDecoder().decode(bytes));
}
