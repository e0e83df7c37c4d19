/**
 * Erases what statements say. Leaf, signature, signer, place and proof stay, and so does what the statement was about: whoever looks for what is said of a
 * release finds that there was more, and decides nothing (`STATEMENT_ERASED`). So no refusal turns into a pass: what is gone counts at its worst.
 */
import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import {
  type Digest,
  digestFromHex,
  digestHex,
  fromUtf8,
  hex,
  leafHash,
  LIMITS,
  parseLogLeaf,
  PREDICATE,
  PromoterError,
  SealaneError,
  type Signer,
} from '@sealane/core';
import type { ErasedEntry, Ledger, LedgerEntry } from '@sealane/ledger';
import { type ErasedStatementRef, erasureStatement, parseBundle, parseWaybill, readErasure, subjectDigests } from '@sealane/trust';
import { readBlob } from '../content.js';
import { aboutImages, releaseDocument } from '../decision/gate-input.js';
import { removeFile } from '../disk-shell.js';
import { describeEntry, type LoggedStatement, signAndLog, statementOf, witnessedHead } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { expectRegistrar } from '../rig/enrol.js';

/**
 * Evidence that others make: reports, provenance, lists of parts, scans. Of what Sealane itself writes beside test results nothing goes: a veto, a revocation, an
 * order, a decision, a site's record and its receipts are what refusals and the fleet rest on.
 */
const ERASABLE: readonly string[] = [
  PREDICATE.testResult,
  PREDICATE.provenance,
  PREDICATE.vulnerabilities,
  PREDICATE.cyclonedx,
  PREDICATE.spdx,
];

export interface EraseStatementsWish {
  readonly statements: readonly Digest[];
  readonly reason: string;
  readonly registrar: Signer;
}

/** What was erased: each with its place in the log. */
export interface ErasedStatements {
  readonly statements: readonly LoggedStatement[];
  readonly erased: readonly { readonly digest: Digest; readonly logIndex: number }[];
}

/** A statement in the log, or what is left of it. */
type Found = { readonly entry: LedgerEntry } | { readonly gone: ErasedEntry };

/** The entries with this statement, erased ones too; none where it is no statement of the log. */
export async function entriesWith(ledger: Ledger, statement: Digest): Promise<readonly Found[]> {
  const gone: ErasedEntry[] = [];
  const entries = await ledger.noting((entry) => void gone.push(entry)).byStatement(statement);
  return [...entries.map((entry) => ({ entry })), ...gone.map((one) => ({ gone: one }))];
}

/**
 * Signs and logs the erasure, has it witnessed, then erases in the ledger and in the lane. Killed in between, the same command goes on.
 *
 * @throws PromoterError `EVIDENCE_SIGNER` not the registrar's key; `STATEMENT_IN_FORCE` of a kind that stands, or about a release that a channel offers; `LOG_WITNESS` logged, nothing
 *   erased; LedgerError `STATEMENT_ARCHIVED` logged, a pack has it; and as `Ledger.erase`
 */
export async function eraseStatements(
  promoter: Promoter,
  { statements, reason, registrar }: EraseStatementsWish,
): Promise<ErasedStatements> {
  expectRegistrar(promoter, registrar, 'erase statements');
  const { ledger } = promoter;
  const found = (await Promise.all(statements.map((digest) => entriesWith(ledger, digest)))).flat();
  const entries = found.flatMap((one) => ('entry' in one ? [one.entry] : []));
  entries.forEach(expectErasable);
  const erasures = await erasuresOf(ledger, statements, registrar);
  const ordered = new Set(erasures.flatMap((entry) => readErasure(statementOf(entry)).statements ?? []).map(({ logIndex }) => logIndex));
  // an order that is logged already may name more, and what it names may have come into force since
  const more = await ledger.noting(() => undefined).entriesAt([...ordered]);
  more.forEach(expectErasable);
  await expectNotInForce(promoter, [...entries, ...more]);
  const open = entries.filter(({ index }) => !ordered.has(index));
  if (open.length > 0) {
    const refs = await Promise.all(open.map((entry) => refOf(ledger, entry)));
    const predicate = { documents: [], statements: refs, reason, issuedAt: promoter.now(), salt: promoter.randomHex() };
    const releases = [...new Set(refs.flatMap(({ subject }) => subject))];
    const { index } = await signAndLog(ledger, erasureStatement(predicate, releases), registrar);
    erasures.push(await ledger.entry(index));
  }
  await witnessedHead(promoter);
  for (const { index } of erasures) await ledger.erase(index);
  const indexes = found.map((one) => ('entry' in one ? one.entry.index : one.gone.index));
  for (const index of indexes) removeBlob(promoter, await signedDigestAt(ledger, index));
  for (const waybill of waybillsWith(promoter, new Set(statements))) removeBlob(promoter, waybill);
  // last: who waits for a long reader has taken what is published away already
  await ledger.compact('traces');
  const erased = await Promise.all(
    indexes.map(async (logIndex) => ({ digest: (await ledger.entryLeaf(logIndex)).statementDigest, logIndex })),
  );
  return { statements: erasures.map(describeEntry), erased };
}

function expectErasable({ index, statement: { predicateType } }: LedgerEntry): void {
  const isOthers = !(Object.values(PREDICATE) as readonly string[]).includes(predicateType);
  if (isOthers || ERASABLE.includes(predicateType)) return;
  throw new PromoterError(
    'STATEMENT_IN_FORCE',
    `erase entry ${index}: expected a test result, provenance, a list of parts or a scan, got ${predicateType}`,
    { index },
    { hint: 'what such statements say is kept small, with ids for names: nothing of them is erased' },
  );
}

/** What a channel offers, now or on the way back, rests on all that is said of it. */
async function expectNotInForce(promoter: Promoter, entries: readonly LedgerEntry[]): Promise<void> {
  const wanted = new Set(entries.map(({ index }) => index));
  const tolerant = { ...promoter, ledger: promoter.ledger.noting(() => undefined) };
  for (const stage of promoter.lane.stages.keys()) {
    const { groups, rollback, revoked } = stageOf(promoter, stage).channel;
    const offered = [...groups, ...rollback].filter(({ release }) => !revoked.some((one) => one.release === release));
    for (const release of new Set(offered.map((choice) => choice.release))) {
      const about = await tolerant.ledger.evidenceAbout(release);
      const images = await aboutImages(tolerant, release, await releaseDocument(tolerant, release));
      const needed = [...about, ...images].find(({ index }) => wanted.has(index));
      if (needed === undefined) continue;
      throw new PromoterError(
        'STATEMENT_IN_FORCE',
        `erase entry ${needed.index}: expected a statement about no release that is offered, got one about ${release}, which ${stage} offers`,
        { release, stage },
      );
    }
  }
}

/** Erasures of these by this registrar that are logged already. */
async function erasuresOf(ledger: Ledger, statements: readonly Digest[], { keyId }: Signer): Promise<LedgerEntry[]> {
  const found = new Map<number, LedgerEntry>();
  for (const digest of statements)
    for (const entry of await ledger.statementsAbout(digest, PREDICATE.erasure))
      if (entry.keyId === keyId && (readErasure(entry.statement).statements ?? []).length > 0) found.set(entry.index, entry);
  return [...found.values()];
}

async function refOf(ledger: Ledger, { index, statement, statementDigest }: LedgerEntry): Promise<ErasedStatementRef> {
  const leaf = digestFromHex(hex(leafHash(await ledger.leaf(index))));
  return {
    logIndex: index,
    statement: statementDigest,
    leaf,
    predicateType: statement.predicateType,
    subject: [...new Set(subjectDigests(statement))],
  };
}

/** The name of the blob in which a statement was published: its leaf has it. */
async function signedDigestAt(ledger: Ledger, index: number): Promise<Digest> {
  return digestFromHex(hex(parseLogLeaf(await ledger.leaf(index)).paeDigest));
}

/** Waybills in the lane that hold one of these statements: of releases that nobody offers any more. */
function waybillsWith(promoter: Promoter, statements: ReadonlySet<Digest>): readonly Digest[] {
  const blobs = path.join(promoter.home.content, 'blobs', 'sha256');
  const names = readdirSync(blobs).filter((name) => /^[0-9a-f]{64}$/.test(name));
  return names.map(digestFromHex).filter((digest) => {
    const file = path.join(blobs, digestHex(digest));
    const bytes = lstatSync(file).size <= LIMITS.waybillBytes ? readBlob(promoter, digest) : undefined;
    return bytes !== undefined && holdsOne(bytes, statements);
  });
}

function holdsOne(bytes: Uint8Array, statements: ReadonlySet<Digest>): boolean {
  try {
    return (
      fromUtf8(bytes.subarray(0, 1)) === '{' &&
      parseWaybill(bytes).bundles.some((bundle) => statements.has(parseBundle(bundle).statementDigest))
    );
  } catch (error) {
    // no waybill: most blobs are none
    if (error instanceof SealaneError) return false;
    throw error;
  }
}

function removeBlob({ home }: Promoter, digest: Digest): void {
  removeFile(path.join(home.content, 'blobs', 'sha256', digestHex(digest)));
}
