/** Witness cosignatures: a witness saw this checkpoint, consistent with all before, at this time (C2SP tlog-cosignature v1.0.1). */
import { type KeyObject, sign } from 'node:crypto';
import { concatBytes, utf8 } from './bytes.js';
import { verifyEd25519 } from './ed25519.js';
import { CoreError } from './errors.js';
import { isBy, NOTE_KEY_TYPE, type NoteSignature, parseNote, signatureLine, type Vkey, vkeyOf } from './signed-note.js';

/** A verified cosignature: who, and when (seconds since 1970). */
export interface Cosignature {
  readonly witness: Vkey;
  readonly timeSeconds: number;
}

/** Time stamps are 64-bit; later than this (year 9999) no calendar of ours goes. */
const MAX_TIME_SECONDS = 253_402_300_799;

/** Cosigns a checkpoint's text as `name` at `timeSeconds`; returns the signature line with its newline. */
export function cosign(
  witness: { readonly name: string; readonly privateKey: KeyObject },
  checkpointText: string,
  timeSeconds: number,
): string {
  const { keyHash } = vkeyOf(witness.name, NOTE_KEY_TYPE.cosignature, witness.privateKey);
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(timeSeconds));
  const signature = new Uint8Array(sign(null, message(checkpointText, timeSeconds), witness.privateKey));
  return signatureLine(witness.name, keyHash, concatBytes(time, signature));
}

/**
 * The valid cosignatures of the witnesses that are known, each witness once (its latest time). Others are passed over.
 *
 * @throws CoreError `NOTE_MALFORMED`; `NOTE_UNVERIFIED` a line claims a known witness but is wrong
 */
export function verifyCosignatures(note: string | Uint8Array, witnesses: readonly Vkey[]): readonly Cosignature[] {
  const { text, signatures } = parseNote(note);
  const found = new Map<Vkey, number>();
  for (const signature of signatures) {
    const witness = witnesses.find((key) => key.type === NOTE_KEY_TYPE.cosignature && isBy(signature, key));
    if (witness === undefined) continue;
    const timeSeconds = verifiedTime(text, signature, witness);
    found.set(witness, Math.max(timeSeconds, found.get(witness) ?? 0));
  }
  return [...found].map(([witness, timeSeconds]) => ({ witness, timeSeconds }));
}

function verifiedTime(text: string, signature: NoteSignature, witness: Vkey): number {
  const { blob } = signature;
  const wrong = (): CoreError =>
    new CoreError('NOTE_UNVERIFIED', `verify a cosignature: expected a valid one by ${witness.name}, got a wrong one`);
  if (blob.length !== 8 + 64) throw wrong();
  const timeSeconds = Number(new DataView(blob.buffer, blob.byteOffset, 8).getBigUint64(0));
  if (timeSeconds > MAX_TIME_SECONDS || !verifyEd25519(witness.publicKey, message(text, timeSeconds), blob.subarray(8))) throw wrong();
  return timeSeconds;
}

function message(text: string, timeSeconds: number): Uint8Array {
  return utf8(`cosignature/v1\ntime ${timeSeconds}\n${text}`);
}
