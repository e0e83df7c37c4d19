/** Takes in a release that another lane exported: its bytes by digest, and the evidence by keys that this lane's own policies name. */
import path from 'node:path';
import { type Digest, LIMITS, PREDICATE, PromoterError, signerIdOf } from '@sealane/core';
import { copyFrom, layoutSource, openLayout, walkRelease } from '@sealane/oci';
import { namedBlobs, type ParsedBundle } from '@sealane/trust';
import { signedBy, spkiByHint } from '../evidence/bundle-signer.js';
import type { LoggedStatement } from '../log/log-statements.js';
import { addStatements } from '../log/statement-add.js';
import { mayBeSaid } from '../log/who-may-say.js';
import type { Promoter } from '../promoter.js';
import { offerImage } from '../release/create.js';
import { expectPinnedParts } from '../release/manifest-images.js';
import { releasesCalled } from '../release/records.js';
import { refName } from '../release/ref-name.js';
import { CARRIED, readCarried } from './carried-statements.js';

/** What one lane says of itself binds no other: these are left behind. */
const OF_ONE_LANE: readonly string[] = [
  PREDICATE.decision,
  PREDICATE.approval,
  PREDICATE.receipt,
  PREDICATE.order,
  PREDICATE.revocation,
  PREDICATE.exception,
  PREDICATE.secret,
  PREDICATE.siteRecord,
  PREDICATE.anchor,
];

/** A statement that was not taken in, and why. */
export interface LeftBehind {
  readonly digest: Digest;
  readonly predicateType: string;
  readonly why: string;
}

export interface ImportedRelease {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
  readonly statements: readonly LoggedStatement[];
  readonly left: readonly LeftBehind[];
}

/**
 * Copies content first, then logs; run again it changes nothing. Signatures are checked when statements are logged, all before the first.
 *
 * @throws PromoterError `EVIDENCE_SIGNER` the release is by no author of this lane; `RELEASE_EXISTS`; `MANIFEST_UNPINNED`; `WAYBILL_SIGNATURE`; OciError `CONTENT_*`
 */
export async function importRelease(promoter: Promoter, folder: string): Promise<ImportedRelease> {
  const { release, name, version, statements } = readCarried(folder);
  await expectSameBytes(promoter, { release, name, version });
  const judged = await Promise.all(statements.map(async ({ json, bundle }) => ({ json, bundle, why: await whyLeft(promoter, bundle) })));
  const taken = judged.filter(({ why }) => why === undefined);
  if (!taken.some(({ bundle }) => bundle.statement.predicateType === PREDICATE.release))
    throw new PromoterError(
      'EVIDENCE_SIGNER',
      `import ${name}@${version}: expected a release by an author whom this lane's policies name, got another`,
    );
  const from = await openLayout(path.join(folder, CARRIED.content));
  const to = await openLayout(promoter.home.content, { create: 'if-missing' });
  const root = await copyFrom(layoutSource(from, { digest: release }), to);
  const { doc } = walkRelease((digest, maxBytes) => to.readBlobSync(digest, maxBytes), release);
  expectPinnedParts(promoter, doc.components);
  for (const component of doc.components) if (component.kind === 'image') await offerImage(to, component, doc);
  await to.addToIndex({ ...root, annotations: refName(name, version) });
  for (const blob of taken.flatMap(({ bundle }) => namedBlobs(bundle.statement)))
    await to.putBlob(await from.readBlob(blob, LIMITS.evidenceBlobBytes), { expected: blob, maxBytes: LIMITS.evidenceBlobBytes });
  const logged = await addStatements(promoter, Buffer.from(JSON.stringify(taken.map(({ json }) => json))), folder);
  const left = judged.flatMap(({ bundle: { statementDigest: digest, statement }, why }) =>
    why === undefined ? [] : [{ digest, predicateType: statement.predicateType, why }],
  );
  return { release, name, version, statements: logged, left };
}

async function whyLeft(promoter: Promoter, bundle: ParsedBundle): Promise<string | undefined> {
  if (OF_ONE_LANE.includes(bundle.statement.predicateType)) return 'it binds the lane that it comes from, and no other';
  const isRigs = bundle.certified === undefined && spkiByHint(promoter, bundle.hint) === undefined;
  const signed = isRigs ? undefined : await signedBy(promoter, bundle);
  if (signed === undefined) return "its signer is nobody whom this lane's policies name";
  if (!(await mayBeSaid(promoter, signerIdOf(signed), bundle.statement)))
    return "its signer is one whom this lane's policies name for other things";
  return undefined;
}

async function expectSameBytes(
  promoter: Promoter,
  { release, name, version }: Pick<ImportedRelease, 'release' | 'name' | 'version'>,
): Promise<void> {
  const other = (await releasesCalled(promoter, name, version)).find((row) => row.release !== release);
  if (other === undefined) return;
  throw new PromoterError('RELEASE_EXISTS', `import ${name}@${version}: it stands for ${other.release} already, got ${release}`, {
    release,
  });
}
