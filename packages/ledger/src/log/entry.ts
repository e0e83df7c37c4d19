/** An entry on its way into the log: checked, taken apart, and hashed. */
import {
  type Digest,
  digestFromHex,
  encodeLogLeaf,
  envelopePayload,
  envelopeSignature,
  equalBytes,
  hex,
  INTOTO_PAYLOAD_TYPE,
  keyIdOf,
  leafHash,
  LedgerError,
  LIMITS,
  pae,
  parseLogLeaf,
  parseStatement,
  readCertificate,
  sha256,
  sha256Raw,
  type Signed,
  signerIdOf,
  type Statement,
  verifyP256InPool,
} from '@sealane/core';
import { type ErasedStatement, type ErasureName, remainsOf } from '../archive/erasures.js';
import { type Projected, projectionOf } from '../projection/projected.js';
import { packLeaf } from './leaf-row.js';

/** What callers bring: an envelope, the public key (SubjectPublicKeyInfo DER) that signed it, and what a keyless signature comes with. */
export type NewEntry = Signed;

/** An index of PostgreSQL takes 2,704 bytes a row, and a name goes with a version. */
const MAX_KEY_CHARS = 512;
/** What is in an index, by the names of `Projected`. */
const INDEXED: ReadonlySet<string> = new Set(['predicateType', 'name', 'version', 'stage', 'site']);

/** An entry of the log. `keyId` names the signer (`signerIdOf`); `loggedAt` is the time of the commit that brought it, RFC 3339 UTC, by the promoter's clock. */
export interface LedgerEntry extends Signed {
  readonly index: number;
  readonly statement: Statement;
  readonly statementDigest: Digest;
  readonly keyId: string;
  readonly loggedAt: string;
}

/** A checked entry with all that the commit will write. */
export interface PreparedEntry extends Pick<Signed, 'spki' | 'certified'> {
  readonly keyId: string;
  /** What erased it, where it says nothing any more: then `payload` is empty. */
  readonly erasure?: ErasureName;
  readonly payload: Uint8Array;
  readonly statement: Pick<Statement, 'predicateType' | 'subject'>;
  readonly statementDigest: Digest;
  readonly leaf: Uint8Array;
  /** The leaf as its row keeps it. */
  readonly packedLeaf: Uint8Array;
  readonly leafHash: Uint8Array;
  readonly projected: Projected | null;
}

/**
 * Checks an entry before it can reach the log, where it would stay for good: signature, size, shape.
 *
 * @throws LedgerError `STATEMENT_SIGNATURE` not signed by `spki`; CoreError `STATEMENT_MALFORMED` no in-toto statement, too large, or a predicate
 *   of ours that is not of its format; `ENVELOPE_MALFORMED`, `BYTES_MALFORMED`, `JSON_*`
 */
export async function prepareEntry({ envelope, ...signer }: NewEntry): Promise<PreparedEntry> {
  if (envelope.payloadType !== INTOTO_PAYLOAD_TYPE) {
    throw new LedgerError(
      'ENVELOPE_MALFORMED',
      `log a statement: expected payload type ${INTOTO_PAYLOAD_TYPE}, got ${JSON.stringify(envelope.payloadType.slice(0, 80))}`,
    );
  }
  return await prepareSigned({ payload: envelopePayload(envelope), signature: envelopeSignature(envelope), ...signer });
}

/** A payload with its signature and signer: an envelope, unpacked. */
export interface SignedPayload extends Pick<Signed, 'spki' | 'certified'> {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** As `prepareEntry`, of an envelope that is unpacked. @throws as `prepareEntry` */
export async function prepareSigned(entry: SignedPayload): Promise<PreparedEntry> {
  const { payload, signature, spki, certified } = entry;
  const statementDigest = sha256(payload);
  const signed = pae(INTOTO_PAYLOAD_TYPE, payload);
  // most of what an entry costs: on threads, so that every core takes part
  if (!(await verifyP256InPool(spki, signed, signature))) {
    throw new LedgerError(
      'STATEMENT_SIGNATURE',
      `log statement ${statementDigest}: expected a signature by key ${keyIdOf(spki)}, got another`,
      { statementDigest },
    );
  }
  expectOwnKey(statementDigest, entry);
  const statement = parseStatement(payload);
  const certificate = certified === undefined ? {} : { certificate: certified.certificate };
  const parts = { paeDigest: sha256Raw(signed), signature, spki, ...certificate };
  const leaf = encodeLogLeaf(parts);
  // an entry of a tlog-tiles bundle has a length of 16 bits
  if (leaf.length > LIMITS.logLeafBytes) {
    throw new LedgerError(
      'STATEMENT_MALFORMED',
      `log statement ${statementDigest}: expected a leaf of at most ${LIMITS.logLeafBytes} bytes, got ${leaf.length}`,
    );
  }
  const projected = projectionOf(statement);
  expectKeepable({ ...projected, predicateType: statement.predicateType });
  return {
    ...(certified === undefined ? {} : { certified }),
    spki,
    keyId: signerIdOf(entry),
    payload,
    statement,
    statementDigest,
    leaf,
    packedLeaf: packLeaf(leaf, parts),
    leafHash: leafHash(leaf),
    projected,
  };
}

/** An entry that was erased where this log was copied from. @throws LedgerError `STATEMENT_UNKNOWN` the erasure is of another leaf */
export function prepareErased(leaf: Uint8Array, erasure: ErasureName, said: ErasedStatement): PreparedEntry {
  const hash = leafHash(leaf);
  const parts = parseLogLeaf(leaf);
  const { spki, certificate } = parts;
  if (said.leaf !== digestFromHex(hex(hash)))
    throw new LedgerError('STATEMENT_UNKNOWN', `log an erased entry: expected an erasure of its leaf, got one of ${said.leaf}`);
  const signer = { spki, ...(certificate === undefined ? {} : { certified: { certificate, timestamp: new Uint8Array() } }) };
  return {
    spki,
    keyId: signerIdOf(signer),
    erasure,
    payload: new Uint8Array(),
    statement: remainsOf(said),
    statementDigest: said.statement,
    leaf,
    packedLeaf: packLeaf(leaf, parts),
    leafHash: hash,
    projected: null,
  };
}

/** A leaf names a key or a certificate: the key that is checked is the one in the certificate. Whether that counts, policy says. */
function expectOwnKey(statementDigest: Digest, { spki, certified }: SignedPayload): void {
  if (certified === undefined || equalBytes(readCertificate(certified.certificate).spki, spki)) return;
  throw new LedgerError('STATEMENT_SIGNATURE', `log statement ${statementDigest}: expected the key of its certificate, got another`, {
    statementDigest,
  });
}

/** What a statement is looked up by goes into columns: a text that no database keeps, or no index, is refused here and not in a commit. */
function expectKeepable(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'string' || (!value.includes('\0') && (value.length <= MAX_KEY_CHARS || !INDEXED.has(name)))) continue;
    const got = `${value.length} characters ${JSON.stringify(value.slice(0, 40))}`;
    throw new LedgerError(
      'STATEMENT_MALFORMED',
      `log a statement: expected ${name} without a zero, of at most ${MAX_KEY_CHARS} characters, got ${got}`,
      { field: name },
    );
  }
}
