/** Entries of the log: an envelope with the key that signed it, at its index. */
import {
  type Digest,
  digestFromHex,
  type Envelope,
  envelopePayload,
  hex,
  keyIdOf,
  LedgerError,
  leafHash,
  LIMITS,
  logLeaf,
  parseEnvelope,
  parseStatement,
  parseStrictJson,
  type Statement,
  statementDigestOf,
  utf8,
  verifyEnvelope,
} from '@sealane/core';

/** What is appended: an envelope and the SubjectPublicKeyInfo DER of its signer. */
export interface NewEntry {
  readonly envelope: Envelope;
  readonly spki: Uint8Array;
}

/** An entry as it stands in the log. `keyId` is hex; `loggedAt` is the promoter's own clock and proves nothing. */
export interface Entry extends NewEntry {
  readonly index: number;
  readonly statementDigest: Digest;
  readonly keyId: string;
  readonly statement: Statement;
  readonly loggedAt: string;
}

/** A row of the table `entry`. */
export interface EntryRow {
  readonly idx: number;
  readonly statement_digest: Uint8Array;
  readonly key_id: Uint8Array;
  readonly leaf_hash: Uint8Array;
  readonly spki: Uint8Array;
  readonly envelope: string;
  readonly logged_at: string;
}

/**
 * The row of a new entry. The signature is verified before anything is logged.
 *
 * @throws LedgerError `WAYBILL_SIGNATURE` the envelope is not signed by `spki`; CoreError for malformed statements
 */
export function makeRow(entry: NewEntry, index: number, loggedAt: string): EntryRow {
  const { envelope, spki } = entry;
  if (!verifyEnvelope(envelope, spki)) {
    throw new LedgerError('WAYBILL_SIGNATURE', `log a statement: expected a signature by key ${keyIdOf(spki)}, got another`);
  }
  parseStatement(envelopePayload(envelope));
  const leaf = logLeaf(envelope, spki);
  if (leaf.length > LIMITS.logLeafBytes) throw new LedgerError('LOG_LEAF_MALFORMED', `log a statement: expected a leaf of at most ${LIMITS.logLeafBytes} bytes`);
  return {
    idx: index,
    statement_digest: digestBuffer(statementDigestOf(envelope)),
    key_id: Buffer.from(keyIdOf(spki), 'hex'),
    leaf_hash: leafHash(leaf),
    spki,
    envelope: JSON.stringify(envelope),
    logged_at: loggedAt,
  };
}

/** The entry of a row. */
export function readRow(row: EntryRow): Entry {
  const envelope = readEnvelope(row.envelope);
  return {
    index: row.idx,
    envelope,
    spki: new Uint8Array(row.spki),
    statementDigest: digestFromHex(hex(row.statement_digest)),
    keyId: hex(row.key_id),
    statement: parseStatement(envelopePayload(envelope)),
    loggedAt: row.logged_at,
  };
}

/** The envelope in the text of a row. */
export function readEnvelope(text: string): Envelope {
  return parseEnvelope(parseStrictJson(utf8(text), { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth }));
}

function digestBuffer(digest: Digest): Buffer {
  return Buffer.from(digest.slice('sha256:'.length), 'hex');
}
