/** Statements that came by hand or over HTTP: approvals signed elsewhere, evidence, receipts. Each is checked for who may have said it. */
import {
  type Envelope,
  fromBase64,
  type JsonValue,
  keyIdOf,
  LIMITS,
  parseEnvelope,
  parseStatement,
  envelopePayload,
  parseStrictJson,
  PREDICATE,
  PromoterError,
  verifyEnvelope,
  type Statement,
} from '@sealane/core';
import { hintOf, parseBundle, readReceipt, readSiteRecord } from '@sealane/trust';
import { spkiByHint } from '../evidence/add.js';
import type { Promoter } from '../promoter.js';
import { rigKeyByHint } from '../rig/statements.js';
import { type LoggedStatement, logEnvelope, tryWitness } from './log-statements.js';

/** A file may hold one bundle or an array of them, as receipts come. */
const MAX_STATEMENTS = 1000;

/** What was expected instead of a statement; undefined for one that is taken. */
export type Objection = (predicateType: string, statement: Statement) => string | undefined;

/** A statement as it came, before its signature is looked at. */
interface Brought {
  readonly envelope: Envelope;
  readonly hint: string;
  readonly statement: Statement;
}

/**
 * The statements of a document, one bundle or an array of them. Nothing of the lane is needed: what is malformed costs no lock.
 *
 * @throws PromoterError `USAGE` too many, `EVIDENCE_SUBJECT` an objection; TrustError and CoreError for malformed ones
 */
export function readStatements(bytes: Uint8Array, source: string, objection: Objection = () => undefined): readonly Brought[] {
  const value = parseStrictJson(bytes, { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth + 2 });
  const items: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  if (items.length > MAX_STATEMENTS)
    throw new PromoterError('USAGE', `read ${source}: expected at most ${MAX_STATEMENTS} statements, got ${items.length}`);
  return items.map((item) => {
    const { envelope, hint } = parseBundle(item);
    const signatures = envelope.signatures.map((signature) => ({ ...signature }));
    const statement = parseStatement(envelopePayload(parseEnvelope({ ...envelope, signatures })));
    const expected = objection(statement.predicateType, statement);
    if (expected !== undefined)
      throw new PromoterError(
        'EVIDENCE_SUBJECT',
        `read ${source}: expected ${expected}, got a statement of type ${statement.predicateType}`,
      );
    return { envelope, hint, statement };
  });
}

/**
 * Logs every statement of a document, one bundle or an array of them. All are checked before any is logged; one that is there keeps its place.
 * `objection` narrows what is taken.
 *
 * @throws PromoterError `EVIDENCE_SUBJECT` an objection; `EVIDENCE_SIGNER` a key that neither policy nor a site record names; `WAYBILL_SIGNATURE`; TrustError and CoreError for malformed ones
 */
export async function addStatements(
  promoter: Promoter,
  bytes: Uint8Array,
  source: string,
  objection: Objection = () => undefined,
): Promise<readonly LoggedStatement[]> {
  const checked: { envelope: Envelope; spki: Uint8Array; statement: Statement }[] = [];
  for (const brought of readStatements(bytes, source, objection)) checked.push(await check(promoter, brought, source));
  const logged: LoggedStatement[] = [];
  for (const { envelope, spki, statement } of checked) {
    const { index, statementDigest } = await logEnvelope(promoter.ledger, envelope, spki);
    logged.push({ predicateType: statement.predicateType, digest: statementDigest, logIndex: index });
  }
  // an auditor's answer needs a checkpoint above them; without a quorum the next command brings it
  await tryWitness(promoter);
  return logged;
}

async function check(
  promoter: Promoter,
  { envelope, hint, statement }: Brought,
  source: string,
): Promise<{ envelope: Envelope; spki: Uint8Array; statement: Statement }> {
  const spki =
    statement.predicateType === PREDICATE.receipt
      ? await siteKey(promoter, statement)
      : (spkiByHint(promoter, hint) ?? (await rigKeyByHint(promoter, hint)));
  if (spki === undefined || hintOf(spki) !== hint) {
    throw new PromoterError(
      'EVIDENCE_SIGNER',
      `read ${source}: expected a statement by a key that the lane's policies or site records name, got another`,
    );
  }
  if (!verifyEnvelope(envelope, spki))
    throw new PromoterError('WAYBILL_SIGNATURE', `read ${source}: expected a signature by key ${keyIdOf(spki)}, got another`);
  return { envelope, spki, statement };
}

/** The key that a logged site record gives to the site which the receipt names. */
async function siteKey({ ledger }: Promoter, statement: Statement): Promise<Uint8Array | undefined> {
  const { site, keyId } = readReceipt(statement);
  for (const row of await ledger.sites(site)) {
    const record = readSiteRecord((await ledger.entry(row.index)).statement);
    if (record.key.id === keyId) return fromBase64(record.key.spki);
  }
  return undefined;
}
