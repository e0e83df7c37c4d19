/**
 * What of an entry depends on nothing but its bytes, found out once: the hash of its leaf, and whether its signature holds.
 *
 * A leaf commits to payload, signature and key, so a signature that was checked is known by the hash of its leaf, whichever ledger or policy the entry is
 * read with next. Whether the key counts is asked of policy each time.
 */
import {
  type Digest,
  encodeLogLeaf,
  type Envelope,
  envelopePayload,
  envelopeSignature,
  leafHash,
  pae,
  sha256,
  sha256Raw,
  statementDigestOf,
  verifyP256InPool,
} from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';

/** An entry by its bytes: no column of the ledger is believed. */
export interface EntryBytes {
  readonly leafHash: Uint8Array;
  readonly statementDigest: Digest;
}

type SignedEntry = Pick<LedgerEntry, 'envelope' | 'spki' | 'certified'>;

/** By the very entry, which nobody changes in place. */
const knownBytes = new WeakMap<SignedEntry, EntryBytes>();
const digests = new WeakMap<Envelope, Digest>();
/** Envelopes whose signature by the key beside them holds. */
const signed = new WeakSet<Envelope>();
/** Leaves with such a signature, by their hash: for when an entry is read again. */
const signedLeaves = new Set<string>();
/** Leaves that are remembered: some 100 bytes each. */
const MAX_LEAVES = 200_000;
/** Signatures that are being checked at a time: as many as keep every core at work. */
const AHEAD = 256;

/** The leaf's hash and the statement's digest, of payload, signature and signer. */
export function bytesOf(entry: SignedEntry): EntryBytes {
  const known = knownBytes.get(entry) ?? readBytes(entry);
  knownBytes.set(entry, known);
  digests.set(entry.envelope, known.statementDigest);
  return known;
}

/** The payload is decoded once for both. */
function readBytes({ envelope, spki, certified }: SignedEntry): EntryBytes {
  const payload = envelopePayload(envelope);
  const signer = { spki, ...(certified === undefined ? {} : { certificate: certified.certificate }) };
  const leaf = encodeLogLeaf({
    paeDigest: sha256Raw(pae(envelope.payloadType, payload)),
    signature: envelopeSignature(envelope),
    ...signer,
  });
  return { leafHash: leafHash(leaf), statementDigest: sha256(payload) };
}

/** As `statementDigestOf`, of an envelope whose bytes were read before. */
export function knownDigest(envelope: Envelope): Digest {
  return digests.get(envelope) ?? statementDigestOf(envelope);
}

/** Whether the signature of this envelope was found to hold, by the key that came with it. */
export const knownSignatures: { readonly has: (envelope: Envelope) => boolean } = signed;

/** Checks the signatures of entries on every core, before each is asked for; one that does not hold is just not known. */
export async function checkSignatures(entries: readonly SignedEntry[]): Promise<void> {
  // a keyless one is checked with its certificate
  const open = entries.filter((entry) => entry.certified === undefined && !signed.has(entry.envelope) && !wasChecked(entry));
  for (let at = 0; at < open.length; at += AHEAD) await Promise.all(open.slice(at, at + AHEAD).map(checkSignature));
}

function wasChecked(entry: SignedEntry): boolean {
  if (!signedLeaves.has(nameOf(entry))) return false;
  signed.add(entry.envelope);
  return true;
}

async function checkSignature(entry: SignedEntry): Promise<void> {
  const { envelope, spki } = entry;
  if (!(await verifyP256InPool(spki, pae(envelope.payloadType, envelopePayload(envelope)), envelopeSignature(envelope)))) return;
  if (signedLeaves.size >= MAX_LEAVES) signedLeaves.clear();
  signedLeaves.add(nameOf(entry));
  signed.add(envelope);
}

function nameOf(entry: SignedEntry): string {
  return Buffer.from(bytesOf(entry).leafHash).toString('latin1');
}
