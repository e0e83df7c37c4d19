/**
 * ECDSA P-256 over a digest that is already there (FIPS 186-5, section 6.4.2): `node:crypto` only takes the whole message, and who verifies
 * an artifact by its digest does not have it. Everything here is public, so nothing needs constant time. OpenSSL has checked that the key
 * is a point on the curve; tests hold every answer against OpenSSL's own.
 */
import type { KeyObject } from 'node:crypto';
import { hex } from '@sealane/core';

/** The field, the order of the group and its generator (SP 800-186, section 3.2.1.3). */
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const G: Point = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  z: 1n,
};
const ORDER_BITS = 256;
const HASH_BYTES = 32;

/** A point in Jacobian coordinates: (x/z², y/z³); z = 0 is the point at infinity. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

const INFINITY: Point = { x: 1n, y: 1n, z: 0n };

/** Whether `signature` (DER) over the message with SHA-256 `digest` is by `key`. A key of another kind or a malformed signature is false. */
export function verifyP256Prehashed(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const point = pointOf(key);
  const parts = derSignature(signature);
  if (point === undefined || parts === undefined || digest.length !== HASH_BYTES) return false;
  const { r, s } = parts;
  if (r < 1n || r >= N || s < 1n || s >= N) return false;
  const inverse = power(s, N - 2n, N);
  const sum = doubleScalar((BigInt(`0x${hex(digest)}`) * inverse) % N, (r * inverse) % N, point);
  if (sum.z === 0n) return false;
  const zInverse = power(sum.z, P - 2n, P);
  return mod(sum.x * zInverse * zInverse) % N === r;
}

function pointOf(key: KeyObject): Point | undefined {
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
  const { x, y } = key.export({ format: 'jwk' });
  if (x === undefined || y === undefined) return undefined;
  return { x: coordinate(x), y: coordinate(y), z: 1n };
}

function coordinate(base64url: string): bigint {
  return BigInt(`0x${hex(Buffer.from(base64url, 'base64url'))}`);
}

/** SEQUENCE of two INTEGERs in DER, and nothing after it (RFC 3279, section 2.2.3). */
function derSignature(der: Uint8Array): { readonly r: bigint; readonly s: bigint } | undefined {
  const [tag, length] = der;
  if (tag !== 0x30 || length !== der.length - 2 || length >= 0x80) return undefined;
  const r = derInteger(der, 2);
  const s = r === undefined ? undefined : derInteger(der, r.next);
  return r === undefined || s?.next !== der.length ? undefined : { r: r.value, s: s.value };
}

function derInteger(der: Uint8Array, at: number): { readonly value: bigint; readonly next: number } | undefined {
  const length = der[at + 1] ?? 0;
  const body = der.subarray(at + 2, at + 2 + length);
  const [first = 0, second = 0] = body;
  if (der[at] !== 0x02 || length === 0 || body.length !== length) return undefined;
  // negative, or padded more than the sign needs
  if (first >= 0x80 || (first === 0 && length > 1 && second < 0x80)) return undefined;
  return { value: BigInt(`0x${hex(body)}`), next: at + 2 + length };
}

/** a·G + b·Q, both scalars bit by bit from the top (Shamir's trick). */
function doubleScalar(a: bigint, b: bigint, q: Point): Point {
  const both = add(G, q);
  let sum = INFINITY;
  for (let bit = BigInt(ORDER_BITS - 1); bit >= 0n; bit -= 1n) {
    sum = double(sum);
    const [ofA, ofB] = [(a >> bit) & 1n, (b >> bit) & 1n];
    if (ofA === 1n) sum = add(sum, ofB === 1n ? both : G);
    else if (ofB === 1n) sum = add(sum, q);
  }
  return sum;
}

/** dbl-2001-b of the Explicit-Formulas Database, for a = -3. */
function double({ x, y, z }: Point): Point {
  if (z === 0n || y === 0n) return INFINITY;
  const delta = mod(z * z);
  const gamma = mod(y * y);
  const beta = mod(x * gamma);
  const alpha = mod(3n * (x - delta) * (x + delta));
  const x3 = mod(alpha * alpha - 8n * beta);
  const z3 = mod((y + z) * (y + z) - gamma - delta);
  return { x: x3, y: mod(alpha * (4n * beta - x3) - 8n * gamma * gamma), z: z3 };
}

/** add-2007-bl of the same, with its exceptional cases. */
function add(a: Point, b: Point): Point {
  if (a.z === 0n) return b;
  if (b.z === 0n) return a;
  const [za, zb] = [mod(a.z * a.z), mod(b.z * b.z)];
  const [ua, ub] = [mod(a.x * zb), mod(b.x * za)];
  const [sa, sb] = [mod(a.y * b.z * zb), mod(b.y * a.z * za)];
  const h = mod(ub - ua);
  const r = mod(sb - sa);
  if (h === 0n) return r === 0n ? double(a) : INFINITY;
  const hh = mod(h * h);
  const hhh = mod(h * hh);
  const v = mod(ua * hh);
  const x3 = mod(r * r - hhh - 2n * v);
  return { x: x3, y: mod(r * (v - x3) - sa * hhh), z: mod(a.z * b.z * h) };
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
