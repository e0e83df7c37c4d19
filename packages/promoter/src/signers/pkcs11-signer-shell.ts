/** Signs in a PKCS#11 token: the key never leaves it. Each operation is a session of its own, logged in and out. */
import { createHash, createPublicKey } from 'node:crypto';
import { PromoterError, type Signer } from '@sealane/core';
import type Pkcs11Library from 'pkcs11js';
import type { KeyPlace } from './key-place.js';
import { remoteSigner } from './key-place.js';
import { pinFrom } from './passphrase.js';
import { parsePkcs11Uri, type Pkcs11Uri } from './pkcs11-uri.js';

type Library = typeof Pkcs11Library;

/** A logged-in session, and the key's two halves in it. */
interface OpenKey {
  readonly module: Pkcs11Library.PKCS11;
  readonly session: Pkcs11Library.Handle;
  readonly privateKey: Pkcs11Library.Handle;
  readonly publicKey: Pkcs11Library.Handle;
}

/** DER of the object identifier of P-256: CKA_EC_PARAMS of its keys. */
const P256_PARAMS = Buffer.from('06082a8648ce3d030107', 'hex');
const COORDINATE_BYTES = 32;
const POINT_BYTES = 1 + 2 * COORDINATE_BYTES;
/**
 * PINs that a token refused, by token and by the PIN's own hash: each is shown to it once. A token locks itself after a few wrong ones, and a service asks at each
 * request. Kept as long as the process runs, as the token counts across signers.
 */
const refusedPins = new Set<string>();
/** What a token says of a PIN that is not its own, and never will be by being tried again. */
const WRONG_PIN = /CKR_PIN_(?:INCORRECT|INVALID|LEN_RANGE)/;
/** More than one match is refused; this many are asked for to see that. */
const MAX_MATCHES = 2;

/**
 * The signer that a PKCS#11 URI names. Its public half is read from the token at once, so a wrong PIN or key shows before anything is signed.
 *
 * @throws PromoterError `USAGE` the URI; `KEY_LOCKED` no PIN, or a wrong one; `KEY_UNAVAILABLE` no module, token or key of that name, or several
 */
export async function pkcs11Signer(rest: string, place: Pick<KeyPlace, 'env' | 'cwd'>): Promise<Signer> {
  const uri = parsePkcs11Uri(rest);
  const library = await loadLibrary();
  const modulePath = uri.modulePath ?? place.env['SEALANE_PKCS11_MODULE'];
  if (modulePath === undefined || modulePath === '')
    throw new PromoterError('USAGE', 'read key reference pkcs11:…: expected module-path=, or SEALANE_PKCS11_MODULE, got neither');
  const pin = (): string => pinFrom(place, uri.pinFile);
  const withKey = <T>(work: (key: OpenKey) => T): T => withOpenKey(library, modulePath, uri, pin, work);
  return remoteSigner(
    withKey((key) => spkiOf(library, key)),
    'a PKCS#11 token',
    (data) => Promise.resolve(withKey((key) => signIn(library, key, data))),
  );
}

/** The native package is optional: machines without tokens need no compiler. */
async function loadLibrary(): Promise<Library> {
  try {
    return (await import('pkcs11js')).default;
  } catch (cause) {
    throw new PromoterError(
      'KEY_UNAVAILABLE',
      'open a PKCS#11 token: expected the optional package pkcs11js, it is not installed',
      {},
      { cause, hint: 'install it with a compiler at hand: npm rebuild pkcs11js' },
    );
  }
}

function withOpenKey<T>(library: Library, modulePath: string, uri: Pkcs11Uri, pin: () => string, work: (key: OpenKey) => T): T {
  const module = new library.PKCS11();
  const [token, text] = ['open a PKCS#11 token', pin()];
  const close = opened(
    () => module.load(modulePath),
    token,
    () => module.close(),
  );
  try {
    const finalize = opened(
      () => module.C_Initialize(),
      token,
      () => module.C_Finalize(),
    );
    try {
      const slot = onlyToken(module, uri);
      const session = step(token, () => module.C_OpenSession(slot, library.CKF_SERIAL_SESSION));
      logIn(module, session, { slot, pin: text, user: library.CKU_USER });
      const privateKey = onlyObject(module, session, { library, uri, kind: library.CKO_PRIVATE_KEY });
      const publicKey = onlyObject(module, session, { library, uri, kind: library.CKO_PUBLIC_KEY });
      return work({ module, session, privateKey, publicKey });
    } finally {
      // ends sessions and logins too
      finalize();
    }
  } finally {
    close();
  }
}

/** @throws PromoterError `KEY_LOCKED` the token refuses the PIN, or has refused it before in this process: then it is not asked again */
function logIn(
  module: Pkcs11Library.PKCS11,
  session: Pkcs11Library.Handle,
  { slot, pin, user }: { readonly slot: Pkcs11Library.Handle; readonly pin: string; readonly user: number },
): void {
  const { manufacturerID, model, serialNumber, label } = step('read a PKCS#11 token', () => module.C_GetTokenInfo(slot));
  const shown = createHash('sha256')
    .update(JSON.stringify([manufacturerID, model, serialNumber, label, pin]))
    .digest('hex');
  const doing = 'log in to a PKCS#11 token';
  if (refusedPins.has(shown))
    throw new PromoterError(
      'KEY_LOCKED',
      `${doing}: expected another PIN than the one that it refused before, got the same, which is not tried again: a token locks itself after a few`,
      {},
      { hint: 'mend the PIN where it comes from; one that was right after all is tried again once the program is started anew' },
    );
  try {
    step(doing, () => module.C_Login(session, user, pin));
  } catch (error) {
    if (error instanceof PromoterError && WRONG_PIN.test(error.message)) refusedPins.add(shown);
    throw error;
  }
}

function opened(open: () => void, what: string, close: () => void): () => void {
  step(what, open);
  return close;
}

/** One call of the module. Its errors name the call and the token's own code, never what was passed. */
function step<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    const isPin = /CKR_(?:PIN_INCORRECT|PIN_LOCKED|PIN_EXPIRED|PIN_LEN_RANGE|PIN_INVALID|USER_PIN_NOT_INITIALIZED)/.test(String(why));
    throw new PromoterError(isPin ? 'KEY_LOCKED' : 'KEY_UNAVAILABLE', `${what}: ${why}`, {}, { cause });
  }
}

function onlyToken(module: Pkcs11Library.PKCS11, { token, slotId }: Pkcs11Uri): Pkcs11Library.Handle {
  const found = step('list PKCS#11 tokens', () => module.C_GetSlotList(true)).filter((slot) => {
    const info = step('read a PKCS#11 token', () => module.C_GetTokenInfo(slot));
    const facts = { token: info.label, manufacturer: info.manufacturerID, serial: info.serialNumber, model: info.model };
    const isSlot = slotId === undefined || slotNumber(slot) === slotId;
    return isSlot && Object.entries(token).every(([name, wanted]) => facts[name as keyof typeof facts].trim() === wanted);
  });
  return only(found, 'token');
}

/** A handle is the number itself, in the machine's byte order. */
function slotNumber(slot: Pkcs11Library.Handle): number {
  return slot.length >= 8 ? Number(slot.readBigUInt64LE(0)) : slot.readUInt32LE(0);
}

function onlyObject(
  module: Pkcs11Library.PKCS11,
  session: Pkcs11Library.Handle,
  { library, uri: { object, id }, kind }: { readonly library: Library; readonly uri: Pkcs11Uri; readonly kind: number },
): Pkcs11Library.Handle {
  const what = kind === library.CKO_PRIVATE_KEY ? 'private key' : 'public half of the key';
  const template = [
    { type: library.CKA_CLASS, value: kind },
    ...(object === undefined ? [] : [{ type: library.CKA_LABEL, value: object }]),
    ...(id === undefined ? [] : [{ type: library.CKA_ID, value: Buffer.from(id) }]),
  ];
  const found = step(`find a ${what} in a PKCS#11 token`, () => {
    module.C_FindObjectsInit(session, template);
    const handles = module.C_FindObjects(session, MAX_MATCHES);
    module.C_FindObjectsFinal(session);
    return handles;
  });
  return only(found, what);
}

function only<T>(found: readonly T[], what: string): T {
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  throw new PromoterError(
    'KEY_UNAVAILABLE',
    `look in a PKCS#11 token: expected exactly one ${what} that the reference names, got ${first === undefined ? 'none' : 'several'}`,
  );
}

/** SubjectPublicKeyInfo DER of the key's public half. */
function spkiOf(library: Library, { module, session, publicKey }: OpenKey): Uint8Array {
  const [params, point] = step('read a public key from a PKCS#11 token', () =>
    module.C_GetAttributeValue(session, publicKey, [{ type: library.CKA_EC_PARAMS }, { type: library.CKA_EC_POINT }]),
  ).map(({ value }) => (Buffer.isBuffer(value) ? value : Buffer.alloc(0)));
  // the standard wraps the point in an OCTET STRING; some tokens do not
  const raw = point?.length === POINT_BYTES + 2 && point[0] === 0x04 && point[1] === POINT_BYTES ? point.subarray(2) : point;
  if (params?.equals(P256_PARAMS) !== true || raw?.length !== POINT_BYTES)
    throw new PromoterError('KEY_MALFORMED', 'read a public key from a PKCS#11 token: expected ECDSA P-256, got another kind');
  const [x, y] = [raw.subarray(1, 1 + COORDINATE_BYTES), raw.subarray(1 + COORDINATE_BYTES)].map((half) => half.toString('base64url'));
  const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' } });
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}

function signIn(library: Library, { module, session, privateKey }: OpenKey, data: Uint8Array): Uint8Array {
  const digest = createHash('sha256').update(data).digest();
  const raw = step('sign in a PKCS#11 token', () => {
    module.C_SignInit(session, { mechanism: library.CKM_ECDSA }, privateKey);
    return module.C_Sign(session, digest, Buffer.alloc(2 * COORDINATE_BYTES));
  });
  return derSignature(raw);
}

/** Tokens give r and s side by side; everybody else reads them as DER (RFC 3279, section 2.2.3). */
function derSignature(raw: Uint8Array): Uint8Array {
  const body = [raw.subarray(0, COORDINATE_BYTES), raw.subarray(COORDINATE_BYTES)].flatMap((half) => {
    const from = half.findIndex((byte) => byte !== 0);
    const digits = from < 0 ? [0] : [...half.subarray(from)];
    // a leading bit would make it negative
    const value = (digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits;
    return [0x02, value.length, ...value];
  });
  return Uint8Array.from([0x30, body.length, ...body]);
}
