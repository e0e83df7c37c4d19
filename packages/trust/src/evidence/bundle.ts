/**
 * Sigstore bundles v0.3 as the lane carries them: one DSSE signature, by a key that is named by hint or keyless with certificate and timestamp, and at
 * most one log entry with its inclusion proof and cosigned checkpoint.
 */
import {
  base64,
  type Certified,
  CoreError,
  type Digest,
  type Envelope,
  fromBase64,
  INTOTO_PAYLOAD_TYPE,
  type JsonObject,
  type JsonValue,
  LIMITS,
  logLeaf,
  type LogLeaf,
  parseEnvelope,
  parseLogLeaf,
  parseStatement,
  type Signed,
  type Statement,
  statementDigestOf,
  envelopePayload,
  sha256Raw,
  TrustError,
} from '@sealane/core';
import { parseJson, parseShape } from '../policy/document.js';
import { type BundleFields, bundleShape, type TlogEntryFields } from './bundle-shape.js';

/** Media type of a bundle, written and (with the older spelling) read. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Where a statement is in a log: the proof, and the signed note with its cosignatures that it leads to. */
export interface LogProof {
  readonly logIndex: number;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: string;
  /** 32 bytes: see `logId` of core. */
  readonly logId: Uint8Array;
}

/** A bundle taken apart; nothing in it is verified. `leafBytes` are the log entry's own, `leaf` the same taken apart. */
export interface ParsedBundle {
  readonly envelope: Envelope;
  readonly statement: Statement;
  readonly statementDigest: Digest;
  /** Base64 of SHA-256 over the signer's SPKI DER, as claimed; empty for a keyless signature. */
  readonly hint: string;
  /** What a keyless signature comes with. */
  readonly certified?: Certified;
  readonly logged: { readonly proof: LogProof; readonly leaf: LogLeaf; readonly leafBytes: Uint8Array } | null;
  readonly json: JsonObject;
}

/** A bundle of a signed envelope; without `proof` it carries no log entry. */
export function encodeBundle(input: Signed & { readonly proof?: LogProof }): JsonObject {
  const { envelope, spki, certified, proof } = input;
  const [{ sig, keyid }] = envelope.signatures;
  return {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      ...(certified === undefined ? { publicKey: { hint: hintOf(spki) } } : certifiedMaterial(certified)),
      ...(proof === undefined ? {} : { tlogEntries: [logEntryJson(proof, logLeaf(envelope, spki, certified?.certificate))] }),
    },
    dsseEnvelope: {
      payload: envelope.payload,
      payloadType: envelope.payloadType,
      signatures: [keyid === undefined ? { sig } : { sig, keyid }],
    },
  };
}

function certifiedMaterial({ certificate, timestamp }: Certified): JsonObject {
  return {
    certificate: { rawBytes: base64(certificate) },
    timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: base64(timestamp) }] },
  };
}

/** How a bundle names its signer: base64 of SHA-256 over the SPKI DER, as cosign writes it. */
export function hintOf(spki: Uint8Array): string {
  return base64(sha256Raw(spki));
}

/**
 * Takes a bundle apart: one signature, one in-toto statement, none or one log entry of the kind we log.
 *
 * @throws TrustError `TRUST_TOO_LARGE`, `TRUST_MALFORMED`
 */
export function parseBundle(source: JsonValue | Uint8Array): ParsedBundle {
  const value = source instanceof Uint8Array ? parseJson('bundle', source, LIMITS.bundleBytes) : source;
  const fields: BundleFields = parseShape('bundle', bundleShape, value);
  return asMalformed(() => {
    const envelope = parseEnvelope(fields.dsseEnvelope);
    // DSSE verification does not look at the type: bytes signed as something else are no statement
    if (envelope.payloadType !== INTOTO_PAYLOAD_TYPE) {
      throw new TrustError(
        'TRUST_MALFORMED',
        `parse bundle: expected payload type ${INTOTO_PAYLOAD_TYPE}, got ${envelope.payloadType.slice(0, 80)}`,
      );
    }
    const [entry] = fields.verificationMaterial.tlogEntries ?? [];
    return {
      envelope,
      statement: parseStatement(envelopePayload(envelope)),
      statementDigest: statementDigestOf(envelope),
      ...signerIn(fields.verificationMaterial),
      logged: entry === undefined ? null : logged(entry),
      json: jsonOf(value),
    };
  });
}

function signerIn({
  publicKey,
  certificate,
  timestampVerificationData: time,
}: BundleFields['verificationMaterial']): Pick<ParsedBundle, 'hint' | 'certified'> {
  const stamp = time?.rfc3161Timestamps[0];
  if (certificate === undefined || stamp === undefined) return { hint: publicKey?.hint ?? '' };
  return { hint: '', certified: { certificate: fromBase64(certificate.rawBytes), timestamp: fromBase64(stamp.signedTimestamp) } };
}

/** An entry with its proof, as bundles have it and as Rekor v2 answers it. */
export function logEntryJson(proof: LogProof, leafBytes: Uint8Array): JsonObject {
  const logIndex = proof.logIndex.toString();
  return {
    // cosign reads this index, the others the proof's: both say the same
    logIndex,
    logId: { keyId: base64(proof.logId) },
    kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
    inclusionProof: {
      logIndex,
      rootHash: base64(proof.rootHash),
      treeSize: proof.treeSize.toString(),
      hashes: proof.hashes.map(base64),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: base64(leafBytes),
  };
}

function logged(entry: TlogEntryFields): NonNullable<ParsedBundle['logged']> {
  const { inclusionProof } = entry;
  if (entry.logIndex !== inclusionProof.logIndex) {
    throw new TrustError(
      'TRUST_MALFORMED',
      `parse bundle: expected the proof's log index ${inclusionProof.logIndex} at the entry too, got ${entry.logIndex}`,
    );
  }
  const leafBytes = fromBase64(entry.canonicalizedBody);
  const proof: LogProof = {
    logIndex: Number(inclusionProof.logIndex),
    treeSize: Number(inclusionProof.treeSize),
    rootHash: fromBase64(inclusionProof.rootHash),
    hashes: inclusionProof.hashes.map(fromBase64),
    checkpoint: inclusionProof.checkpoint.envelope,
    logId: fromBase64(entry.logId.keyId),
  };
  return { proof, leaf: parseLogLeaf(leafBytes), leafBytes };
}

function jsonOf(value: JsonValue): JsonObject {
  if (typeof value === 'object' && value !== null && !isArray(value)) return value;
  throw new TrustError('TRUST_MALFORMED', 'parse bundle: expected an object');
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Any malformed part makes the bundle malformed, under the one code that callers look for. */
function asMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    throw new TrustError('TRUST_MALFORMED', `parse bundle: ${error.message}`, {}, { cause: error });
  }
}
