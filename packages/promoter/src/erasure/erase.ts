/**
 * Erases documents of test results: raw reports, inventories, descriptions. What names them stays in the log with its proof; that they were erased, by whom and
 * why, is signed and logged before the first of them goes.
 */
import path from 'node:path';
import { type Digest, digestHex, LIMITS, PREDICATE, PromoterError, type Signer } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { erasureStatement, namedBlobs, parseWaybill, readErasure, subjectDigests } from '@sealane/trust';
import { expectInNoPack } from '../archive/documents.js';
import { readBlob } from '../content.js';
import { removeFile } from '../disk-shell.js';
import { describeEntry, type LoggedStatement, signAndLog, statementOf, witnessedHead } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { expectRegistrar } from '../rig/enrol.js';

export interface EraseWish {
  readonly documents: readonly Digest[];
  readonly reason: string;
  readonly registrar: Signer;
}

/** What was erased. `bytes` is 0 for a document that was not there any more. */
export interface Erased {
  readonly statements: readonly LoggedStatement[];
  readonly erased: readonly { readonly digest: Digest; readonly bytes: number }[];
}

/**
 * Signs and logs the erasure, then removes the documents. Killed in between, the same command goes on; a document that came back with an old copy goes
 * again under the erasure that is there.
 *
 * @throws PromoterError `EVIDENCE_SIGNER` not the registrar's key; `STATEMENT_UNKNOWN` no test result names a document; `CONTENT_IN_FORCE` a channel
 *   leads to it; `STATEMENT_ARCHIVED` a pack has it; `CONTENT_MISSING` a channel's waybill is not there; `LOG_WITNESS` logged, nothing removed
 */
export async function eraseDocuments(promoter: Promoter, { documents, reason, registrar }: EraseWish): Promise<Erased> {
  expectRegistrar(promoter, registrar, 'erase documents');
  const wanted = [...new Set(documents)];
  const naming = await resultsNaming(promoter, wanted);
  expectNotInForce(promoter, wanted);
  await expectInNoPack(promoter, wanted);
  const known = await erasuresOf(promoter, wanted, registrar);
  const erased = new Set(known.flatMap((entry) => readErasure(statementOf(entry)).documents));
  const open = wanted.filter((digest) => !erased.has(digest));
  if (open.length > 0) {
    const releases = [
      ...new Set(open.flatMap((digest) => naming.get(digest) ?? []).flatMap((entry) => subjectDigests(statementOf(entry)))),
    ];
    const predicate = { documents: open, reason, issuedAt: promoter.now(), salt: promoter.randomHex() };
    const { index } = await signAndLog(promoter.ledger, erasureStatement(predicate, releases), registrar);
    known.push(await promoter.ledger.entry(index));
  }
  await witnessedHead(promoter);
  return { statements: known.map(describeEntry), erased: wanted.map((digest) => ({ digest, bytes: remove(promoter, digest) })) };
}

/** The test results that name each document. @throws PromoterError `STATEMENT_UNKNOWN` */
async function resultsNaming({ ledger }: Promoter, documents: readonly Digest[]): Promise<ReadonlyMap<Digest, readonly LedgerEntry[]>> {
  const naming = new Map<Digest, LedgerEntry[]>(documents.map((digest) => [digest, []]));
  for (const entry of await ledger.statementsOf([PREDICATE.testResult]))
    for (const digest of namedBlobs(statementOf(entry))) naming.get(digest)?.push(entry);
  const [unknown] = [...naming].filter(([, entries]) => entries.length === 0);
  if (unknown === undefined) return naming;
  throw new PromoterError(
    'STATEMENT_UNKNOWN',
    `erase ${unknown[0]}: expected a report or another document that a test result in the log names, got a digest that none does`,
  );
}

/** What a channel leads to, now or on the way back, its sites read: they would refuse the release without it. @throws PromoterError */
function expectNotInForce(promoter: Promoter, documents: readonly Digest[]): void {
  for (const stage of promoter.lane.stages.keys()) {
    const { groups, rollback, revoked } = stageOf(promoter, stage).channel;
    const offered = [...groups, ...rollback].filter(({ release }) => !revoked.some((one) => one.release === release));
    for (const { release, waybill } of offered) {
      const bytes = readBlob(promoter, waybill);
      if (bytes === undefined || bytes.length > LIMITS.waybillBytes)
        throw new PromoterError('CONTENT_MISSING', `erase documents: expected waybill ${waybill} of ${stage}, got nothing`, { waybill });
      const [needed] = parseWaybill(bytes).blobs.filter(({ digest }) => documents.includes(digest));
      if (needed !== undefined)
        throw new PromoterError(
          'CONTENT_IN_FORCE',
          `erase ${needed.digest}: expected a document that no site needs, got one of release ${release}, which ${stage} offers`,
          { release, stage },
        );
    }
  }
}

/** Erasures by this registrar that are logged already. */
async function erasuresOf({ ledger }: Promoter, documents: readonly Digest[], { keyId }: Signer): Promise<LedgerEntry[]> {
  const found = new Map<number, LedgerEntry>();
  for (const digest of documents)
    for (const entry of await ledger.statementsAbout(digest, PREDICATE.erasure)) if (entry.keyId === keyId) found.set(entry.index, entry);
  return [...found.values()];
}

function remove(promoter: Promoter, digest: Digest): number {
  const bytes = readBlob(promoter, digest)?.length ?? 0;
  removeFile(path.join(promoter.home.content, 'blobs', 'sha256', digestHex(digest)));
  return bytes;
}
