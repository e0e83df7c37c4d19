/**
 * Private keys as cosign encrypts them: PEM around JSON with scrypt parameters, and the PKCS#8 DER in a NaCl secretbox (XSalsa20-Poly1305).
 * Keys open both ways: cosign's here, ours in cosign.
 */
import { scryptSync } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { PromoterError } from '@sealane/core';
import { z } from 'zod';

/** What cosign writes today, and what its earlier versions wrote. */
const LABELS = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'] as const;
const BLOCK = /-----BEGIN (ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY)-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----/;
/** The costs that cosign's library takes; a file that asks for more would stop the machine. */
const COSTS = [32_768, 65_536, 131_072] as const;
const COST = 65_536;
const [BLOCK_SIZE, PARALLELISM] = [8, 1];
const SALT_BYTES = 32;
const NONCE_BYTES = 24;
const KEY_BYTES = 32;
const LINE = 64;

const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);
const sealedShape = z.strictObject({
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    params: z.strictObject({ N: z.literal(COSTS), r: z.literal(BLOCK_SIZE), p: z.literal(PARALLELISM) }),
    salt: base64,
  }),
  cipher: z.strictObject({ name: z.literal('nacl/secretbox'), nonce: base64 }),
  ciphertext: base64,
});

/** Whether PEM text holds a key as cosign encrypts it. */
export function isCosignKey(pem: string): boolean {
  return BLOCK.test(pem);
}

/**
 * The PKCS#8 DER of an encrypted key; the caller wipes it. `passphrase` is wiped here.
 *
 * @throws PromoterError `KEY_MALFORMED` no such PEM, or parameters that are not cosign's; `KEY_LOCKED` another passphrase, or the file is damaged
 */
export function openCosignKey(pem: string, passphrase: Uint8Array, source: string): Uint8Array {
  const { kdf, cipher, ciphertext } = sealedParts(pem, source);
  const nonce = Buffer.from(cipher.nonce, 'base64');
  if (nonce.length !== NONCE_BYTES)
    throw new PromoterError('KEY_MALFORMED', `read key ${source}: expected a nonce of ${NONCE_BYTES} bytes, got ${nonce.length}`, {
      source,
    });
  const key = derive(passphrase, Buffer.from(kdf.salt, 'base64'), kdf.params.N);
  passphrase.fill(0);
  try {
    return xsalsa20poly1305(key, nonce).decrypt(new Uint8Array(Buffer.from(ciphertext, 'base64')));
  } catch (cause) {
    throw new PromoterError(
      'KEY_LOCKED',
      `open key ${source}: expected the passphrase that it was encrypted with, got another`,
      { source },
      { cause },
    );
  } finally {
    key.fill(0);
  }
}

/** Encrypts PKCS#8 DER as cosign does. `passphrase` is wiped here, `der` is the caller's to wipe. */
export function sealCosignKey(der: Uint8Array, passphrase: Uint8Array, random: (size: number) => Uint8Array): string {
  const [salt, nonce] = [random(SALT_BYTES), random(NONCE_BYTES)];
  const key = derive(passphrase, salt, COST);
  passphrase.fill(0);
  const ciphertext = xsalsa20poly1305(key, nonce).encrypt(der);
  key.fill(0);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const sealed: z.infer<typeof sealedShape> = {
    kdf: { name: 'scrypt', params: { N: COST, r: BLOCK_SIZE, p: PARALLELISM }, salt: text(salt) },
    cipher: { name: 'nacl/secretbox', nonce: text(nonce) },
    ciphertext: text(ciphertext),
  };
  const body = text(Buffer.from(JSON.stringify(sealed))).match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return `-----BEGIN ${LABELS[0]}-----\n${body.join('\n')}\n-----END ${LABELS[0]}-----\n`;
}

function sealedParts(pem: string, source: string): z.infer<typeof sealedShape> {
  try {
    const [, , body = ''] = BLOCK.exec(pem) ?? [];
    return sealedShape.parse(JSON.parse(Buffer.from(body, 'base64').toString('utf8')));
  } catch (cause) {
    throw new PromoterError(
      'KEY_MALFORMED',
      `read key ${source}: expected a key as cosign encrypts it, got another`,
      { source },
      { cause },
    );
  }
}

function derive(passphrase: Uint8Array, salt: Uint8Array, cost: number): Uint8Array {
  // Node's bound of 32 MiB is below what cosign's cost takes
  const maxmem = 2 * 128 * cost * BLOCK_SIZE;
  return new Uint8Array(scryptSync(passphrase, salt, KEY_BYTES, { N: cost, r: BLOCK_SIZE, p: PARALLELISM, maxmem }));
}
