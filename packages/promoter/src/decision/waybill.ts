/** The waybill of a decision: everything a site needs to judge by itself, with proofs. */
import { type Digest, digestHex, isDigest, type JsonObject, PREDICATE, sha256 } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import {
  BUNDLE_MEDIA_TYPE,
  countsAt,
  decisionInputs,
  encodeWaybill,
  outsideScope,
  IMAGE_EVIDENCE,
  readCarriedBundle,
  readDecision,
  type WaybillBlob,
} from '@sealane/trust';
import path from 'node:path';
import { bringBack } from '../archive/documents.js';
import { readBlob } from '../content.js';
import { durableWrite, PUBLIC_FILE } from '../disk-shell.js';
import { bundleOf, firstCheckpoint, statementOf } from '../log/log-statements.js';
import { isStages } from '../log/who-may-say.js';
import { type Promoter, stageOf } from '../promoter.js';
import { manifestOf } from '../release/manifest.js';
import { stated, statedIn } from '../release/stated.js';
import { rigStatements } from '../rig/statements.js';
import type { Question } from './gate-source.js';
import { waysBack } from './ways-back.js';

/** Media type of an inventory, as test results give it. */
const INVENTORY_MEDIA_TYPE = 'application/vnd.cyclonedx+json';

/** Decisions travel as their chain; scans and SBOMs are large, and no site reads them: its gates are the promoter's verdict. */
const LEFT_OUT: readonly string[] = [PREDICATE.decision, ...IMAGE_EVIDENCE];

/** Builds the waybill and puts it into `content/`; returns its bytes. */
export async function buildWaybill(promoter: Promoter, question: Question, decision: LedgerEntry): Promise<Uint8Array> {
  const bytes = await waybillOf(promoter, question, decision);
  writeBlob(promoter, bytes);
  return bytes;
}

/**
 * The bytes of a waybill. The same ledger gives the same bytes.
 *
 * Documents that it lists come back out of the archive first: sites read them. Each statement's proof is under the first quorum checkpoint that covers it: for decisions that checkpoint is their witnessed time.
 */
export async function waybillOf(promoter: Promoter, question: Question, decision: LedgerEntry): Promise<Uint8Array> {
  const { ledger } = promoter;
  const chain = await decisionChain(promoter, question, decision);
  const wanted = new Set<Digest>(chain.flatMap((entry) => [...decisionInputs(readDecision(statementOf(entry)))]));
  const about = await ledger.evidenceAbout(question.release);
  const isRelease = (entry: LedgerEntry): boolean => statementOf(entry).predicateType === PREDICATE.release;
  const isInput = (entry: LedgerEntry): boolean =>
    wanted.has(entry.statementDigest) && !LEFT_OUT.includes(statementOf(entry).predicateType);
  const entries = [...authorsStatement(promoter, question, about.filter(isRelease)), ...about.filter(isInput), ...chain];
  // what a rig rests on, and every recall of what was tested on: a site must learn of those that came after the decision
  const rigs = (await rigStatements(promoter, about)).filter(
    (entry) => wanted.has(entry.statementDigest) || statementOf(entry).predicateType === PREDICATE.recall,
  );
  const ways = (await waysBack(promoter, question)).filter((entry) => wanted.has(entry.statementDigest));
  const unique = [...new Map([...entries, ...rigs, ...ways].map((entry) => [entry.index, entry])).values()].sort(
    (a, b) => a.index - b.index,
  );
  await bringBack(promoter, unique.map(statementOf));
  const bundles: JsonObject[] = [];
  for (const entry of unique) bundles.push(await bundleOf(ledger, entry, await firstCheckpoint(ledger, entry.index)));
  return encodeWaybill({
    apiVersion: 'sealane/v1',
    kind: 'Waybill',
    release: question.release,
    stage: question.stage,
    decision: decision.statementDigest,
    bundles,
    // runs share reports and inventories: each is listed once
    blobs: [...new Map(unique.flatMap((entry) => blobsOf(promoter, entry)).map((blob) => [blob.digest, blob])).values()],
  });
}

/**
 * What the author said of the release: the first statement by an author whom the stage names that says what the manifest does. Sites take no other one, and
 * another may have been logged before it; where there is none, the first by anybody says what was refused.
 */
function authorsStatement(promoter: Promoter, { release, stage }: Question, entries: readonly LedgerEntry[]): readonly LedgerEntry[] {
  const { policy } = stageOf(promoter, stage);
  const document = manifestOf(promoter, release);
  const manifest = document === undefined ? undefined : stated(document);
  const own = entries.find((entry) => {
    const said = statedIn(statementOf(entry));
    if (said === undefined || !policy.signers.release.includes(entry.keyId) || !countsAt(policy, entry)) return false;
    return outsideScope(policy, said, entry.keyId) === undefined && (manifest === undefined || stated(said) === manifest);
  });
  return own === undefined ? entries.slice(0, 1) : [own];
}

/**
 * The PASSED decisions that led here, by stages of the policy's chain, this one last: those that its gates rested on, and the last one before it of each stage, for
 * where the key of the others has ended since. A stage that decides once more later on, or again before, takes nothing from what rests on its first decision.
 */
async function decisionChain(promoter: Promoter, { release, stage }: Question, decision: LedgerEntry): Promise<readonly LedgerEntry[]> {
  const { policy } = stageOf(promoter, stage);
  const rested = new Set(decisionInputs(readDecision(statementOf(decision))));
  const earlier: LedgerEntry[] = [];
  for (const upstream of policy.chain.slice(0, -1)) {
    const rows = (await promoter.ledger.decisions({ stage: upstream.stage, release })).filter(
      (row) => row.result === 'PASSED' && row.index < decision.index && isStages(policy, row, upstream.stage),
    );
    const wanted = rows.filter((row, at) => rested.has(row.statementDigest) || at === rows.length - 1);
    for (const { index } of wanted) earlier.push(await promoter.ledger.entry(index));
  }
  return [...earlier, decision];
}

/** The blobs that a statement names: raw report, inventory and topology of a test result, the inventory of a rig, the bundle of a carried bundle. */
function blobsOf(promoter: Promoter, entry: LedgerEntry): readonly WaybillBlob[] {
  return namedBlobs(entry).flatMap(({ digest, mediaType }) => {
    const bytes = readBlob(promoter, digest);
    return bytes === undefined ? [] : [{ digest, size: bytes.length, mediaType }];
  });
}

function namedBlobs(entry: LedgerEntry): readonly { readonly digest: Digest; readonly mediaType: string }[] {
  const statement = statementOf(entry);
  const { predicateType, predicate } = statement;
  if (predicateType === PREDICATE.carriedBundle) return [{ digest: readCarriedBundle(statement).bundle, mediaType: BUNDLE_MEDIA_TYPE }];
  if ((predicateType === PREDICATE.rig || predicateType === PREDICATE.rigRebuild) && isDigest(predicate['inventory']))
    return [{ digest: predicate['inventory'], mediaType: INVENTORY_MEDIA_TYPE }];
  const { configuration } = predicate;
  if (predicateType !== PREDICATE.testResult || !Array.isArray(configuration)) return [];
  return (configuration as readonly { readonly digest?: { readonly sha256?: string }; readonly mediaType?: string }[]).map((item) => ({
    digest: `sha256:${item.digest?.sha256 ?? ''}` as Digest,
    mediaType: item.mediaType ?? 'application/octet-stream',
  }));
}

/** Puts bytes into `content/` under their digest. */
export function writeBlob({ home }: Pick<Promoter, 'home'>, bytes: Uint8Array): Digest {
  const digest = sha256(bytes);
  durableWrite(blobFile(home, digest), bytes, PUBLIC_FILE);
  return digest;
}

/** Blobs by the files that they are in `content/`. */
export function blobFiles({ home }: Pick<Promoter, 'home'>, blobs: readonly Uint8Array[]): ReadonlyMap<string, Uint8Array> {
  return new Map(blobs.map((bytes) => [blobFile(home, sha256(bytes)), bytes]));
}

function blobFile({ content }: Promoter['home'], digest: Digest): string {
  return path.join(content, 'blobs', 'sha256', digestHex(digest));
}
