/** Statements by a key that has no say in what they state: brought in as people bring them, or in the log already, as of before they were refused. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { keyIdOf, type Signed, type Signer, signStatement } from '@sealane/core';
import { ed25519NoteSigner, ledgerAt, openLedger } from '@sealane/ledger';
import { encodeBundle } from '@sealane/trust';
import { homeAt } from '../home.js';
import type { TestHome } from './test-home.js';

/** Signs a payload with a key of the lane. */
export async function signedAs({ home }: TestHome, name: string, payload: Uint8Array): Promise<Signed> {
  const key = createPrivateKey(readFileSync(path.join(home, 'keys', `${name}.pem`)));
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  const signer: Signer = { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, key))) };
  return await signStatement(payload, signer);
}

/** The file with the bundle of a signed statement. */
export function bundleFile(lane: TestHome, signed: Signed): string {
  return lane.file('forged.json', JSON.stringify(encodeBundle(signed)));
}

/** Puts it into the log past every check; returns its place. */
export async function logAsIs({ home }: TestHome, signed: Signed): Promise<number> {
  const { ledger: place, keys } = homeAt(home);
  const logSigner = ed25519NoteSigner('lane.example', createPrivateKey(readFileSync(path.join(keys, 'log.pem'))));
  const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
  const ledger = await openLedger({ ...ledgerAt(place), origin: 'lane.example', logSigner, now });
  try {
    const [appended] = await ledger.append([signed]);
    return appended?.index ?? -1;
  } finally {
    await ledger.close();
  }
}
