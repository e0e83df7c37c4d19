/** Makes a release in the home of a command: what is slow first, then the publish lock. */
import type { CommandCall } from '@sealane/core/command-line';
import { loginsOf } from '@sealane/oci';
import { textOption, withLockedPromoter, withPromoter } from '../promoter.js';
import { createRelease, type MadeRelease, type ReleaseWish, signRelease } from './create.js';

/** Signs with the key of `--key`, asks registries with the logins of this host. @throws as `createRelease` */
export async function createReleaseHere(call: CommandCall, wish: Omit<ReleaseWish, 'author' | 'registry'>): Promise<MadeRelease> {
  const registry = { credentials: loginsOf(call.io), signal: call.io.signal };
  const signed = await withPromoter(call, async (promoter) =>
    signRelease(promoter, { ...wish, registry, author: await promoter.signer(textOption(call, 'key')) }),
  );
  return await withLockedPromoter(call, async (promoter) => createRelease(promoter, signed));
}
