/**
 * The published lane as an approver has it: static files at an address or in a folder, and the root that he was given by another way. Gates are recomputed
 * from what is published and nothing else; what was logged and not published yet is not there.
 */
import path from 'node:path';
import { loggedRoots, rootProblems } from '@sealane/auditor';
import { type Digest, digestHex, LIMITS, parseCheckpoint, PromoterError, SealaneError, sha256 } from '@sealane/core';
import type { CommandCall, OptionSpec } from '@sealane/core/command-line';
import { describeRoot, publishedMetadataPath } from '@sealane/trust';
import { nowText } from '../clock.js';
import { digestsIn } from '../gc/digests-in.js';
import { readBlob } from '../content.js';
import { writeBlob } from '../decision/waybill.js';
import { readNamed } from '../disk-shell.js';
import { statementOf } from '../log/log-statements.js';
import { optionalText, type Promoter } from '../promoter.js';
import type { ReadFile } from '../tuf-client/source-shell.js';
import { publishedCheckpoint, publishedCheckpoints, replayPublished } from './published-log.js';
import { rootFile } from './root-file-shell.js';
import { withOpenWorkspace } from './workspace-shell.js';

const OPENING_BRACE = 0x7b;

/** Works on the published lane. */
export const ROOT: OptionSpec = {
  flags: '--root <file>',
  description: 'work on the published lane alone (--lane DIR or URL), verified from this root: no home, no ledger',
};

/** Whether a call is about the published lane alone. @throws PromoterError `USAGE` no lane is named */
export function publishedLane(call: CommandCall): { readonly address: string; readonly root: Uint8Array } | undefined {
  const root = optionalText(call, 'root');
  if (root === undefined) return undefined;
  const address = optionalText(call, 'lane');
  if (address === undefined)
    throw new PromoterError('USAGE', 'read --root: expected --lane with it, the address or folder of the published lane, got none');
  return { address, root: rootFile(path.resolve(call.io.cwd, root)) };
}

/**
 * Opens the published lane, runs `work` over it, forgets it. Nothing that `work` logs reaches anybody.
 *
 * `subject` names the release whose documents are fetched beside.
 *
 * @throws TrustError `TRUST_*`, `LOG_*`; PromoterError as `replayPublished` and `expectRootsLogged`, `FETCH_FAILED`
 */
export async function withPublishedLane<T>(
  call: CommandCall,
  { address, root }: { readonly address: string; readonly root: Uint8Array },
  subject: (promoter: Promoter) => Promise<Digest>,
  work: (promoter: Promoter) => Promise<T>,
): Promise<T> {
  return await withOpenWorkspace(call, address, { root, now: nowText() }, async ({ promoter }, read) => {
    const { lane } = promoter;
    const note = await publishedCheckpoint(read, lane);
    const registrars = new Set([...promoter.lane.stages.values()].flatMap(({ policy }) => policy.registrar));
    await replayPublished(read, { ledger: promoter.ledger, registrars }, parseCheckpoint(note));
    const ledger = { ...promoter.ledger, ...(await publishedCheckpoints(read, promoter.ledger, lane, note)) };
    const published = { ...promoter, ledger };
    await expectRootsLogged(published, read, root);
    await fetchDocuments(published, read, await subject(published));
    return await work(published);
  });
}

/**
 * Holds the roots that this lane was verified by against its log: one that was made beside it, or is the second of its version, may be shown to this reader alone.
 *
 * @throws PromoterError `LOG_NOT_INCLUDED`
 */
async function expectRootsLogged(promoter: Promoter, read: ReadFile, first: Uint8Array): Promise<void> {
  const { home, lane, ledger } = promoter;
  const { version: from } = describeRoot(first);
  const later = Array.from({ length: lane.metadata.root.version - from }, (_, at) =>
    readNamed(path.join(home.trust, publishedMetadataPath('root', from + at + 1)), 'root'),
  );
  for (const { file } of await loggedRoots(ledger)) {
    const bytes = await documentAt(read, digestHex(file));
    if (bytes !== undefined) writeBlob(promoter, bytes);
  }
  const [problem] = await rootProblems({ ledger, readBlob: (digest) => readBlob(promoter, digest), roots: [first, ...later] });
  if (problem === undefined) return;
  const { key, expected, actual } = problem;
  throw new PromoterError(
    'LOG_NOT_INCLUDED',
    `hold the roots of ${lane.origin} against its log: expected of root ${key}: ${expected}, got ${actual}`,
    { version: Number(key) },
    { hint: 'approve nothing, and ask the owners who signed it; one that no witness has seen yet is there after: sealane publish' },
  );
}

/** Brings what statements about a release name: its manifest, reports, inventories. What is not there the gates name. */
async function fetchDocuments(promoter: Promoter, read: ReadFile, release: Digest): Promise<void> {
  const about = await promoter.ledger.evidenceAbout(release);
  const open = [digestHex(release), ...about.flatMap((entry) => [...digestsIn(JSON.stringify(statementOf(entry)))])];
  const seen = new Set<string>();
  // grows while it is walked: manifests name manifests
  for (const name of open) {
    if (seen.has(name)) continue;
    seen.add(name);
    const bytes = await documentAt(read, name);
    if (bytes === undefined || digestHex(sha256(bytes)) !== name) continue;
    writeBlob(promoter, bytes);
    open.push(...smallPartsOf(bytes));
  }
  if (readBlob(promoter, release) === undefined)
    throw new PromoterError('CONTENT_MISSING', `read release ${release}: expected its manifest in the lane, got nothing`, {
      digest: release,
    });
}

/** Layers are larger than documents, and nothing here reads them. */
async function documentAt(read: ReadFile, name: string): Promise<Uint8Array | undefined> {
  try {
    return await read(`content/blobs/sha256/${name}`, LIMITS.evidenceBlobBytes);
  } catch (error) {
    if (error instanceof SealaneError && error.code === 'TRUST_TOO_LARGE') return undefined;
    throw error;
  }
}

/** What a manifest names and is small enough to be a document: manifests of platforms, manifests of workloads. */
function smallPartsOf(bytes: Uint8Array): readonly string[] {
  if (bytes.length > LIMITS.releaseManifestBytes || bytes[0] !== OPENING_BRACE) return [];
  const text = Buffer.from(bytes).toString('latin1');
  return [...text.matchAll(/\{[^{}]*"digest":"sha256:([0-9a-f]{64})"[^{}]*\}/g)].flatMap(([descriptor, name]) => {
    const [, size] = /"size":(\d+)/.exec(descriptor) ?? [];
    return name !== undefined && Number(size) <= LIMITS.releaseManifestBytes ? [name] : [];
  });
}
