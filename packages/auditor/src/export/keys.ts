/** Public keys as openssl reads them, and which keys signed a checkpoint. */
import { base64, isBy, NOTE_KEY_TYPE, type NoteSignature, parseNote, type Vkey } from '@sealane/core';
import { logKeySpki, type Policy, verifyTrustOf } from '@sealane/trust';

/** A key of the log or of a witness, and where it lies in the export, without `.pem` and `.vkey`. */
export interface NoteKey {
  readonly stem: string;
  readonly vkey: Vkey;
}

/** A signature of a checkpoint by a known key. `mark` are the characters with which its line's last word begins: four bytes of the key's hash. */
export interface KnownSignature {
  readonly key: NoteKey;
  readonly mark: string;
}

/** Characters of base64 that depend on the first four bytes only. */
const MARK_LENGTH = 5;

/** SubjectPublicKeyInfo DER as PEM. */
export function pemOf(spki: Uint8Array): string {
  const lines = base64(spki).match(/.{1,64}/g) ?? [];
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
}

/** The keys of the log and of witnesses that policy names, those that were replaced last. The log's key of today is the first. */
export function noteKeys(policy: Policy, origin: string): readonly NoteKey[] {
  const trust = verifyTrustOf(policy);
  const log = trust.logs.find((each) => each.origin === origin);
  const logs = log === undefined ? [] : [log.vkey, ...log.past.map(({ vkey }) => vkey)];
  const witnesses = [...trust.witnesses, ...trust.pastWitnesses.map(({ vkey }) => vkey)];
  return [
    ...logs.map((vkey, at) => ({ stem: `log/log-${at + 1}`, vkey })),
    ...witnesses.map((vkey, at) => ({ stem: `log/witness-${at + 1}`, vkey })),
  ];
}

/** SubjectPublicKeyInfo DER of such a key. */
export function spkiOf({ vkey }: NoteKey): Uint8Array {
  return logKeySpki(vkey);
}

/** Whether it signs as a witness: over a line with the time, before the checkpoint. */
export function isWitness({ vkey }: NoteKey): boolean {
  return vkey.type === NOTE_KEY_TYPE.cosignature;
}

/** The signatures of a checkpoint by known keys. */
export function knownSignatures(note: string, keys: readonly NoteKey[]): readonly KnownSignature[] {
  return parseNote(note).signatures.flatMap((signature) => {
    const key = keys.find(({ vkey }) => isBy(signature, vkey));
    return key === undefined ? [] : [{ key, mark: markOf(signature) }];
  });
}

function markOf({ keyHash }: NoteSignature): string {
  return base64(keyHash).slice(0, MARK_LENGTH);
}
