/** RFC 6962 Merkle trees: hashes, and the verification of inclusion and consistency proofs (RFC 9162, section 2.1). */
import { hash } from 'node:crypto';
import { concatBytes, equalBytes } from './bytes.js';
import { binaryBytes, sha256Raw } from './digest.js';
import { CoreError } from './errors.js';

const LEAF = new Uint8Array([0x00]);
/** Where `leafHash` lays out 0x00 || leaf, for leaves of a usual length: a big log is hashed a fifth faster than with a block for each. */
const LEAF_BLOCK = Buffer.alloc(4096, 0x00);
const HASH_BYTES = 32;
/** Where `nodeHash` lays out 0x01 || left || right: one block for all calls, as hashing nodes is what big trees spend their time on. */
const NODE = Buffer.alloc(1 + 2 * HASH_BYTES, 0x01);

/** Hash of a leaf: SHA-256(0x00 || bytes) (RFC 9162, section 2.1.1). */
export function leafHash(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= LEAF_BLOCK.length) return sha256Raw(concatBytes(LEAF, bytes));
  LEAF_BLOCK.set(bytes, 1);
  return binaryBytes(hash('sha256', LEAF_BLOCK.subarray(0, 1 + bytes.length), 'binary'));
}

/**
 * Hash of an inner node: SHA-256(0x01 || left || right).
 *
 * @throws CoreError `PROOF_LENGTH` for anything but hashes of 32 bytes: a shifted border between them would give the same node
 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES)
    throw wrongLength(`hashes of ${HASH_BYTES} bytes`, `${left.length} and ${right.length}`);
  NODE.set(left, 1);
  NODE.set(right, 1 + HASH_BYTES);
  return binaryBytes(hash('sha256', NODE, 'binary'));
}

/** Root of the empty tree: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return sha256Raw();
}

/**
 * Checks that a leaf is in the tree of `size` entries with root `root` (RFC 9162, section 2.1.3.2).
 *
 * `index` is 0-based. `proof` holds hashes of 32 bytes, leaf upwards. Pure; O(log size) hashes.
 *
 * @throws CoreError `PROOF_LENGTH` wrong number of hashes for (index, size), or index outside; `PROOF_MISMATCH` the computed root differs
 */
export function verifyInclusion(input: {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}): void {
  const { index, size, proof } = input;
  if (!isCount(index) || !isCount(size) || index >= size) throw wrongLength(`an index below the size ${size}`, `${index}`);
  expectHashes([input.leafHash, input.root, ...proof]);
  const { inner, border } = pathShape(index, size);
  if (proof.length !== inner + border) throw wrongLength(`${inner + border} hashes for entry ${index} of ${size}`, `${proof.length}`);
  const subtree = chainInner(input.leafHash, proof.slice(0, inner), index);
  expectRoot(chainRight(subtree, proof.slice(inner)), input.root, `entry ${index} in a tree of ${size}`);
}

/**
 * Checks that the tree (size1, root1) is a prefix of (size2, root2) (RFC 9162, section 2.1.4.2).
 *
 * `size1` is at least 1: the empty tree is a prefix of every tree and needs no proof.
 *
 * @throws CoreError `PROOF_LENGTH`, `PROOF_MISMATCH`
 */
export function verifyConsistency(input: {
  readonly size1: number;
  readonly size2: number;
  readonly root1: Uint8Array;
  readonly root2: Uint8Array;
  readonly proof: readonly Uint8Array[];
}): void {
  const { size1, size2, proof } = input;
  if (!isCount(size1) || !isCount(size2) || size1 < 1 || size2 < size1)
    throw wrongLength('sizes 1 ≤ size1 ≤ size2', `${size1} and ${size2}`);
  if (size1 === size2) {
    if (proof.length !== 0) throw wrongLength('no hashes for equal sizes', `${proof.length}`);
    expectRoot(input.root1, input.root2, `two trees of ${size1}`);
    return;
  }
  expectHashes([input.root1, input.root2, ...proof]);
  const shift = trailingZeros(size1);
  const shape = pathShape(size1 - 1, size2);
  const inner = shape.inner - shift;
  // a size1 that is a power of two is a whole subtree: its root stands in for the first hash
  const [seed, rest] = isPowerOfTwo(size1) ? [input.root1, proof] : [proof[0], proof.slice(1)];
  if (seed === undefined || rest.length !== inner + shape.border) {
    throw wrongLength(`${inner + shape.border + (isPowerOfTwo(size1) ? 0 : 1)} hashes for ${size1} in ${size2}`, `${proof.length}`);
  }
  const mask = Math.floor((size1 - 1) / 2 ** shift);
  const innerHashes = rest.slice(0, inner);
  const borderHashes = rest.slice(inner);
  expectRoot(chainRight(chainInnerRight(seed, innerHashes, mask), borderHashes), input.root1, `the first ${size1} of ${size2}`);
  expectRoot(chainRight(chainInner(seed, innerHashes, mask), borderHashes), input.root2, `a tree of ${size2} on ${size1}`);
}

function expectHashes(hashes: readonly Uint8Array[]): void {
  const wrong = hashes.find((hash) => hash.length !== HASH_BYTES);
  if (wrong !== undefined) throw wrongLength(`hashes of ${HASH_BYTES} bytes`, `one of ${wrong.length}`);
}

/** How many hashes of a path lie below the last full subtree (`inner`) and on its right border. */
function pathShape(index: number, size: number): { readonly inner: number; readonly border: number } {
  const inner = bitLength(xor(index, size - 1));
  return { inner, border: countOnes(Math.floor(index / 2 ** inner)) };
}

function chainInner(seed: Uint8Array, hashes: readonly Uint8Array[], index: number): Uint8Array {
  return hashes.reduce((hash, sibling, level) => (bitAt(index, level) === 0 ? nodeHash(hash, sibling) : nodeHash(sibling, hash)), seed);
}

/** Like `chainInner`, but only the siblings on the left: the tree as it was when the right ones were not there yet. */
function chainInnerRight(seed: Uint8Array, hashes: readonly Uint8Array[], index: number): Uint8Array {
  return hashes.reduce((hash, sibling, level) => (bitAt(index, level) === 1 ? nodeHash(sibling, hash) : hash), seed);
}

function chainRight(seed: Uint8Array, hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduce((hash, sibling) => nodeHash(sibling, hash), seed);
}

function expectRoot(computed: Uint8Array, root: Uint8Array, what: string): void {
  if (!equalBytes(computed, root))
    throw new CoreError('PROOF_MISMATCH', `verify a proof of ${what}: the computed root differs from the given one`);
}

function wrongLength(expected: string, got: string): CoreError {
  return new CoreError('PROOF_LENGTH', `verify a proof: expected ${expected}, got ${got}`);
}

// Sizes are up to 2^53: bit operations on numbers would cut them to 32 bits, so these divide.

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function bitAt(value: number, position: number): number {
  return Math.floor(value / 2 ** position) % 2;
}

function xor(left: number, right: number): bigint {
  return BigInt(left) ^ BigInt(right);
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

function countOnes(value: number): number {
  return value.toString(2).replaceAll('0', '').length;
}

function trailingZeros(value: number): number {
  let zeros = 0;
  while (bitAt(value, zeros) === 0) zeros += 1;
  return zeros;
}

function isPowerOfTwo(value: number): boolean {
  return countOnes(value) === 1;
}
