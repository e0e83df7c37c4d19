/** The waybill of a decision: everything a site needs to judge by itself, with proofs. */
import { type Digest, digestHex, type JsonObject, PREDICATE, sha256 } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { decisionInputs, encodeWaybill, readDecision, type WaybillBlob, BUNDLE_MEDIA_TYPE, readCarriedBundle } from '@sealane/trust';
import path from 'node:path';
import { durableWrite, PUBLIC_FILE } from '../disk-shell.js';
import { bundleOf, firstCheckpoint, statementOf } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { type Question, readBlob } from './gate-input.js';

/**
 * Builds the waybill and puts it into `content/`; returns its bytes. The same ledger gives the same bytes.
 *
 * Each statement's proof is under the first quorum checkpoint that covers it: for decisions that checkpoint is their witnessed time.
 */
export async function buildWaybill(promoter: Promoter, question: Question, decision: LedgerEntry): Promise<Uint8Array> {
  const { ledger, logVkey } = promoter;
  const chain = await decisionChain(promoter, question, decision);
  const wanted = new Set<Digest>(chain.flatMap((entry) => [...decisionInputs(readDecision(statementOf(entry)))]));
  const about = await ledger.statementsAbout(question.release);
  const isRelease = (entry: LedgerEntry): boolean => statementOf(entry).predicateType === PREDICATE.release;
  const isInput = (entry: LedgerEntry): boolean =>
    wanted.has(entry.statementDigest) && statementOf(entry).predicateType !== PREDICATE.decision;
  const entries = [...about.filter(isRelease).slice(0, 1), ...about.filter(isInput), ...chain];
  const unique = [...new Map(entries.map((entry) => [entry.index, entry])).values()].sort((a, b) => a.index - b.index);
  const bundles: JsonObject[] = [];
  for (const entry of unique) bundles.push(await bundleOf(ledger, entry, await firstCheckpoint(ledger, entry.index), logVkey));
  const bytes = encodeWaybill({
    apiVersion: 'sealane/v1',
    kind: 'Waybill',
    release: question.release,
    stage: question.stage,
    decision: decision.statementDigest,
    bundles,
    blobs: unique.flatMap((entry) => blobsOf(promoter, entry)),
  });
  writeBlob(promoter, bytes);
  return bytes;
}

/** The PASSED decisions that led here, one for each stage of the policy's chain, this one last. */
async function decisionChain(promoter: Promoter, { release, stage }: Question, decision: LedgerEntry): Promise<readonly LedgerEntry[]> {
  const { chain } = stageOf(promoter, stage).policy;
  const earlier: LedgerEntry[] = [];
  for (const upstream of chain.slice(0, -1)) {
    const rows = await promoter.ledger.decisions({ stage: upstream.stage, release });
    const passed = await Promise.all(rows.filter(({ result }) => result === 'PASSED').map(({ index }) => promoter.ledger.entry(index)));
    const last = passed.filter(({ keyId }) => upstream.keys.includes(keyId)).at(-1);
    if (last !== undefined) earlier.push(last);
  }
  return [...earlier, decision];
}

/** The blobs that a statement names: of a test result raw report, inventory and topology; of a carried bundle the bundle. */
function blobsOf(promoter: Promoter, entry: LedgerEntry): readonly WaybillBlob[] {
  const statement = statementOf(entry);
  if (statement.predicateType === PREDICATE.carriedBundle) {
    const digest = readCarriedBundle(statement).bundle;
    const bytes = readBlob(promoter, digest);
    return bytes === undefined ? [] : [{ digest, size: bytes.length, mediaType: BUNDLE_MEDIA_TYPE }];
  }
  if (statement.predicateType !== PREDICATE.testResult) return [];
  const { configuration } = statement.predicate;
  if (!Array.isArray(configuration)) return [];
  return (configuration as readonly { readonly digest?: { readonly sha256?: string }; readonly mediaType?: string }[]).flatMap((item) => {
    const digest = `sha256:${item.digest?.sha256 ?? ''}` as Digest;
    const bytes = readBlob(promoter, digest);
    return bytes === undefined ? [] : [{ digest, size: bytes.length, mediaType: item.mediaType ?? 'application/octet-stream' }];
  });
}

/** Puts bytes into `content/` under their digest. */
export function writeBlob({ home }: Pick<Promoter, 'home'>, bytes: Uint8Array): Digest {
  const digest = sha256(bytes);
  durableWrite(path.join(home.content, 'blobs', 'sha256', digestHex(digest)), bytes, PUBLIC_FILE);
  return digest;
}
