/** `sealane release create` at a service: the content is made and the statement signed here, then both are uploaded. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult } from '@sealane/core/command-line';
import { loginsOf } from '@sealane/oci';
import { createRelease, type ReleaseWish, signRelease } from '../release/create.js';
import { textOption } from '../promoter.js';
import { madeReleaseShape } from '../service/answers.js';
import { openService } from './service-shell.js';
import { withWorkspace } from './workspace-shell.js';

/** Makes a release at the service at `address`. Done again, it uploads what is missing and changes nothing. */
export async function releaseCreateAt(call: CommandCall, address: string, wish: Omit<ReleaseWish, 'author'>): Promise<CommandResult> {
  const service = await openService(address, call.io);
  return await withWorkspace(call, address, async ({ promoter, bundles, newBlobs }) => {
    const author = await promoter.signer(textOption(call, 'key'));
    const registry = { credentials: loginsOf(call.io), signal: call.io.signal };
    await createRelease(promoter, await signRelease(promoter, { ...wish, author, registry }));
    for (const { digest, file } of newBlobs()) await service.putBlob(digest, file);
    const [bundle] = await bundles();
    if (bundle === undefined) throw new PromoterError('INTERNAL', 'create a release: expected its signed statement, got none');
    const bytes = Buffer.from(JSON.stringify(bundle));
    const { exit, json } = await service.call({ method: 'POST', path: '/api/v1/releases', bytes }, madeReleaseShape);
    return { exit, json, text: `${json.release}  ${json.name}@${json.version}` };
  });
}
