/** Statements that came by hand or over HTTP: approvals signed elsewhere, evidence, receipts. Each is checked for who may have said it. */
import {
  fromBase64,
  type JsonValue,
  keyIdOf,
  LIMITS,
  parseStrictJson,
  PREDICATE,
  PromoterError,
  SealaneError,
  type Signed,
  signerIdOf,
  type Statement,
  verifyEnvelope,
} from '@sealane/core';
import { hintOf, parseBundle, type ParsedBundle, readReceipt, readSiteRecord } from '@sealane/trust';
import { signedBy } from '../evidence/bundle-signer.js';
import type { Promoter } from '../promoter.js';
import { siteRecords } from '../site/records.js';
import { type LoggedStatement, tryWitness } from './log-statements.js';
import { mayBeSaid } from './who-may-say.js';

/** A file may hold one bundle or an array of them, as receipts come. */
const MAX_STATEMENTS = 1000;
/** What is in a bundle beside its payload, some sixty values with the hashes of a proof, for as many bundles. */
const MAX_VALUES = 200_000;

/** What was expected instead of a statement; undefined for one that is taken. */
export type Objection = (predicateType: string, statement: Statement) => string | undefined;

/** A statement as it came, before its signature is looked at. */
export interface Brought {
  readonly bundle: ParsedBundle;
  readonly statement: Statement;
}

/**
 * The bundles of a document, one or an array of them, not taken apart yet.
 *
 * @throws PromoterError `USAGE` too many; CoreError for what is no JSON
 */
export function readItems(bytes: Uint8Array, source: string): readonly JsonValue[] {
  const limits = { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth + 2, maxValues: MAX_VALUES };
  const value = named(source, () => parseStrictJson(bytes, limits));
  const items: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  if (items.length > MAX_STATEMENTS)
    throw new PromoterError('USAGE', `read ${source}: expected at most ${MAX_STATEMENTS} statements, got ${items.length}`);
  return items;
}

/**
 * The statement in a bundle. Nothing of the lane is needed: what is malformed costs no lock.
 *
 * @throws PromoterError `EVIDENCE_SUBJECT` an objection; TrustError and CoreError for a malformed one
 */
export function readItem(item: JsonValue, source: string, objection: Objection): Brought {
  const bundle = named(source, () => parseBundle(item));
  const { statement } = bundle;
  expectTaken(statement, source, objection);
  return { bundle, statement };
}

/** For an objection that needs more than the statement: whoever reads it first takes no lock for what is malformed. @throws PromoterError `EVIDENCE_SUBJECT` */
export function expectTaken(statement: Statement, source: string, objection: Objection): void {
  const { predicateType } = statement;
  const expected = objection(predicateType, statement);
  if (expected !== undefined)
    throw new PromoterError('EVIDENCE_SUBJECT', `read ${source}: expected ${expected}, got a statement of type ${predicateType}`);
}

/** The statements of a document, one bundle or an array of them. @throws as `readItems` and `readItem` */
export function readStatements(bytes: Uint8Array, source: string, objection: Objection = () => undefined): readonly Brought[] {
  return readItems(bytes, source).map((item) => readItem(item, source, objection));
}

/** Says of which document: people bring several, and none of them came over a lane that could be fetched again. */
function named<T>(source: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    const hint = 'check the file: it holds one Sigstore bundle, or an array of them, as approve --out or receipt export wrote it';
    throw new PromoterError(cause.code, `read ${source}: ${cause.message}`, cause.data, { cause, hint });
  }
}

/** Logs every statement of a document, one bundle or an array of them. @throws as `readStatements` and `addBrought` */
export async function addStatements(promoter: Promoter, bytes: Uint8Array, source: string): Promise<readonly LoggedStatement[]> {
  return await addBrought(promoter, readStatements(bytes, source), source);
}

/**
 * Logs statements that were read: all are checked, then all are logged at once, or none. One that is there keeps its place.
 *
 * @throws PromoterError `EVIDENCE_SIGNER` a signer whom neither policy nor a site record names, or not for that; `SIGNER_CERTIFICATE`, `SIGNER_TIME`, `WAYBILL_SIGNATURE`
 */
export async function addBrought(promoter: Promoter, all: readonly Brought[], source: string): Promise<readonly LoggedStatement[]> {
  const checked: { signed: Signed; statement: Statement }[] = [];
  for (const brought of all) checked.push(await check(promoter, brought, source));
  const appended = await promoter.ledger.append(checked.map(({ signed }) => signed));
  const logged = appended.map(({ index, statementDigest }, at): LoggedStatement => {
    return { predicateType: checked[at]?.statement.predicateType ?? '', digest: statementDigest, logIndex: index };
  });
  // an auditor's answer needs a checkpoint above them; without a quorum the next command brings it
  await tryWitness(promoter);
  return logged;
}

async function check(
  promoter: Promoter,
  { bundle, statement }: Brought,
  source: string,
): Promise<{ signed: Signed; statement: Statement }> {
  const signed = statement.predicateType === PREDICATE.receipt ? await bySite(promoter, bundle) : await signedBy(promoter, bundle);
  if (signed === undefined) {
    throw new PromoterError(
      'EVIDENCE_SIGNER',
      `read ${source}: expected a statement by a signer whom the lane's policies or site records name, got another`,
    );
  }
  if (statement.predicateType !== PREDICATE.receipt && !(await mayBeSaid(promoter, signerIdOf(signed), statement)))
    throw new PromoterError(
      'EVIDENCE_SIGNER',
      `read ${source}: expected a statement of type ${statement.predicateType} by those whose word that is, got one by ${signerIdOf(signed)}`,
    );
  if (!verifyEnvelope(signed.envelope, signed.spki))
    throw new PromoterError(
      'WAYBILL_SIGNATURE',
      `read ${source}: expected a signature by key ${keyIdOf(signed.spki)} over what the file says, got another`,
      {},
      { hint: 'it was altered after it was signed, or signed by another key: ask who signed it for the file as it was made' },
    );
  return { signed, statement };
}

async function bySite(promoter: Promoter, { envelope, statement, hint }: ParsedBundle): Promise<Signed | undefined> {
  const spki = await siteKey(promoter, statement);
  return spki === undefined || hintOf(spki) !== hint ? undefined : { envelope, spki };
}

/** The key that a logged site record gives to the site which the receipt names. A retired one has had its last word with the receipt that says so. */
async function siteKey(promoter: Promoter, statement: Statement): Promise<Uint8Array | undefined> {
  const { ledger } = promoter;
  const { site, keyId, seq } = readReceipt(statement);
  const own = (await ledger.receiptsOf(site)).filter((receipt) => receipt.keyId === keyId);
  const last = own.find(({ event }) => event === 'retired');
  if (last !== undefined && seq > last.seq) return undefined;
  for (const row of await siteRecords(promoter, site)) {
    const record = readSiteRecord((await ledger.entry(row.index)).statement);
    if (record.key.id === keyId) return fromBase64(record.key.spki);
  }
  return undefined;
}
