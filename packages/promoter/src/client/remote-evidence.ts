/** `sealane evidence add` and `sealane statement add` at a service: statements are signed here, with this machine's key, and uploaded. */
import { type Digest, isDigest, parseDigest, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult } from '@sealane/core/command-line';
import { statementsResult } from '../command-parts.js';
import { type EvidenceWish, logEvidence, signEvidence } from '../evidence/add.js';
import { optionalText, textArgument } from '../promoter.js';
import { releaseShape, statementsShape } from '../service/answers.js';
import { openService, type Service } from './service-shell.js';
import { withWorkspace } from './workspace-shell.js';

/**
 * Adds evidence about a release of the service at `address`. The manifests of the release are verified by its digest before anything about them is
 * signed: who names the release by digest need not trust the service. Given a name, they must say that name themselves: no release of another one is vouched for.
 *
 * @throws PromoterError `EVIDENCE_SUBJECT` the service means another release by the name; as `signEvidence`
 */
export async function evidenceAddAt(
  call: CommandCall,
  address: string,
  wish: Omit<EvidenceWish, 'release' | 'signer'>,
): Promise<CommandResult> {
  if (wish.documents.rehearsal !== undefined)
    throw new PromoterError(
      'USAGE',
      'add evidence: expected no --rehearsal with --server: what sites said is compared with the ledger',
      {},
      { hint: 'run it where the home is' },
    );
  const service = await openService(address, call.io);
  const asked = textArgument(call, 0, 'RELEASE');
  const release = await digestOf(service, asked);
  return await withWorkspace(call, address, async ({ promoter, fetchRelease, bundles, newBlobs }) => {
    const { name, version } = await fetchRelease(release);
    if (!isDigest(asked) && asked !== `${name}@${version}`)
      throw new PromoterError(
        'EVIDENCE_SUBJECT',
        `add evidence to ${asked}: expected the release of that name, the service gave ${name}@${version} (${release})`,
      );
    const key = optionalText(call, 'key');
    const about = { digest: release, name };
    const signer = key === undefined ? {} : { signer: await promoter.signer(key) };
    await logEvidence(promoter, about, await signEvidence(promoter, { ...wish, release: about, ...signer }));
    for (const { digest, file } of newBlobs()) await service.putBlob(digest, file);
    const bytes = Buffer.from(JSON.stringify(await bundles()));
    const { json } = await service.call({ method: 'POST', path: `/api/v1/releases/${release}/evidence`, bytes }, statementsShape);
    return statementsResult(json.statements);
  });
}

/** Uploads statements that were signed elsewhere: each file one bundle, or an array of them. */
export async function statementAddAt(call: CommandCall, address: string, files: readonly Uint8Array[]): Promise<CommandResult> {
  const service = await openService(address, call.io);
  const statements = [];
  for (const bytes of files) {
    const { json } = await service.call({ method: 'POST', path: '/api/v1/statements', bytes }, statementsShape);
    statements.push(...json.statements);
  }
  return statementsResult(statements);
}

async function digestOf(service: Service, release: string): Promise<Digest> {
  if (isDigest(release)) return release;
  const { json } = await service.call({ method: 'GET', path: `/api/v1/releases/${encodeURIComponent(release)}` }, releaseShape);
  return parseDigest(json.release);
}
