/** The log's key, wherever it is kept: it signs note texts. */
import { type KeyObject, sign } from 'node:crypto';
import { CoreError, formatVkey, NOTE_KEY_TYPE, signatureLine, utf8, vkeyOf } from '@sealane/core';

/** Signs the text of a note as `vkey`. `sign` returns one signature line with its newline; the text ends in a newline. */
export interface NoteSigner {
  /** The verifier key (`name+hash+key`); its name is the log's origin. */
  readonly vkey: string;
  sign(text: string): string;
}

/** A signer over an Ed25519 key in memory. @throws CoreError `KEY_MALFORMED` another kind of key, or only its public half */
export function ed25519NoteSigner(name: string, privateKey: KeyObject): NoteSigner {
  if (privateKey.type !== 'private')
    throw new CoreError('KEY_MALFORMED', `sign as ${name}: expected a private key, got ${privateKey.type}`);
  const vkey = vkeyOf(name, NOTE_KEY_TYPE.ed25519, privateKey);
  return {
    vkey: formatVkey(vkey),
    sign: (text) => signatureLine(name, vkey.keyHash, new Uint8Array(sign(null, utf8(text), privateKey))),
  };
}
