/** Keys that this host was told to revoke: kept until the owners have signed, so that no later proposal forgets one. */
import path from 'node:path';
import { canonicalJson, LIMITS, parseStrictJson, PromoterError, SealaneError } from '@sealane/core';
import { z } from 'zod';
import { durableWrite, PUBLIC_FILE, readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';
import type { RevokedKey } from './policy-source.js';

/** Its name, among the keys. */
export const REVOKED_KEYS = 'revoked.json';

const shape = z
  .array(z.strictObject({ keyId: z.string().regex(/^[0-9a-f]{64}$/), untilIndex: z.int().min(0), reason: z.string().min(1).max(2000) }))
  .max(1000);

/** The revocations so far. @throws PromoterError `CONFIG_INVALID` the file was damaged */
export function readRevokedKeys(home: Pick<Home, 'keys'>): readonly RevokedKey[] {
  const bytes = readOptional(fileOf(home));
  if (bytes === undefined) return [];
  const parsed = parsedRevocations(bytes);
  if (parsed.success) return parsed.data;
  throw new PromoterError('CONFIG_INVALID', `read ${fileOf(home)}: expected a list of {keyId, untilIndex, reason}, got something else`);
}

/** Whether bytes are such revocations and nothing else: for backups, which take no file among the keys that may be a secret. */
export function isRevokedKeys(bytes: Uint8Array): boolean {
  try {
    return parsedRevocations(bytes).success;
  } catch (error) {
    if (error instanceof SealaneError) return false;
    throw error;
  }
}

/** Adds a revocation; the earliest index of a key wins. Durable when it returns. */
export function addRevokedKey(home: Pick<Home, 'keys'>, revoked: RevokedKey): void {
  const before = readRevokedKeys(home);
  const same = before.find(({ keyId }) => keyId === revoked.keyId);
  if (same !== undefined && same.untilIndex <= revoked.untilIndex) return;
  const all = [...before.filter(({ keyId }) => keyId !== revoked.keyId), revoked];
  durableWrite(fileOf(home), canonicalJson(all.map((item) => ({ ...item }))), PUBLIC_FILE);
}

function parsedRevocations(bytes: Uint8Array): ReturnType<typeof shape.safeParse> {
  return shape.safeParse(parseStrictJson(bytes, { maxBytes: LIMITS.policyBytes, maxDepth: LIMITS.jsonDepth }));
}

function fileOf({ keys }: Pick<Home, 'keys'>): string {
  return path.join(keys, REVOKED_KEYS);
}
