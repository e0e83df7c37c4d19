/** Whatever the lane serves, the client answers with a TrustError or with the true channel, and leaves the state it was given alone. */
import { canonicalJson, fromUtf8, type JsonObject, type JsonValue, type Signer, TrustError } from '@sealane/core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeTufLane, type TufLane } from '../../../../test/support/tuf-lane.js';
import { readTarget, refreshTrust } from './client.js';
import { trustFromRoot } from './root-chain.js';
import { signMetadata } from './signing.js';
import type { TufState } from './state.js';

const NOW = '2026-03-01T00:00:00Z';
let lane: TufLane;
let shipped: TufState;
let names: readonly string[];

beforeAll(async () => {
  lane = await makeTufLane(NOW);
  shipped = trustFromRoot(lane.files.get('metadata/1.root.json') ?? new Uint8Array());
  names = ['metadata/2.root.json', ...[...lane.files.keys()].filter((name) => !name.endsWith('1.root.json'))];
});

/** Visits the lane with some files replaced: a refusal's code, or the channel that came out. */
function visit(replaced: ReadonlyMap<string, Uint8Array>): string {
  const read = (name: string): Uint8Array | undefined => replaced.get(name) ?? lane.files.get(name);
  const before = structuredClone(shipped);
  try {
    const trusted = refreshTrust({ state: shipped, read, now: NOW, expiry: 'network' });
    return fromUtf8(readTarget({ trusted, read, path: 'channel/prod.json' }).bytes);
  } catch (error) {
    // anything but a TrustError is a crash, and fails the property
    if (!(error instanceof TrustError)) throw error;
    expect(error.data['state']).toMatchObject({ versions: before.versions });
    return error.code;
  } finally {
    expect(shipped).toEqual(before);
  }
}

const TRUE_CHANNEL = '{"stage":"prod","content":"one"}';
const allowed = /^TRUST_[A-Z_]+$/;

describe('a hostile lane', () => {
  it('gets nothing out of arbitrary bytes in any file', () => {
    fc.assert(
      fc.property(fc.nat(), fc.uint8Array({ maxLength: 300 }), (pick, bytes) => {
        const outcome = visit(new Map([[names[pick % names.length] ?? '', bytes]]));
        if (outcome !== TRUE_CHANNEL) expect(outcome).toMatch(allowed);
      }),
      { numRuns: 120 },
    );
  });

  it('gets nothing out of flipped bytes in true files', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (pick, at, mask) => {
        const name = names[1 + (pick % (names.length - 1))] ?? '';
        const bytes = Uint8Array.from(lane.files.get(name) ?? []);
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ mask;
        const outcome = visit(new Map([[name, bytes]]));
        if (outcome !== TRUE_CHANNEL) expect(outcome).toMatch(allowed);
      }),
      { numRuns: 120 },
    );
  });

  it('gets no crash out of nonsense that the true keys signed', async () => {
    const hands: readonly [string, readonly Signer[]][] = [
      ['metadata/timestamp.json', [lane.keys.timestamp]],
      ['metadata/2.root.json', lane.keys.root],
    ];
    const anything = fc.anything({
      withNullPrototype: false,
      maxDepth: 3,
      values: [fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)],
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...hands), fc.nat(), anything, fc.nat(), async ([name, signers], pick, nonsense, depth) => {
        const source = JSON.parse(fromUtf8(lane.files.get(name) ?? lane.files.get('metadata/1.root.json') ?? new Uint8Array())).signed;
        const signed = bend(name.includes('root') ? { ...source, version: 2 } : source, pick, asJson(nonsense), depth % 4);
        const bytes = await signMetadata(canonicalJson({ signatures: [], signed }), signers).catch(() => new Uint8Array());
        const outcome = visitAny(new Map([[name, bytes]]));
        if (outcome !== TRUE_CHANNEL) expect(outcome).toMatch(allowed);
      }),
      { numRuns: 120 },
    );
  });
});

/** As `visit`, where the bent file may be a true root: then the state goes on by one root. */
function visitAny(replaced: ReadonlyMap<string, Uint8Array>): string {
  const read = (name: string): Uint8Array | undefined => replaced.get(name) ?? lane.files.get(name);
  try {
    const trusted = refreshTrust({ state: shipped, read, now: NOW, expiry: 'network' });
    return fromUtf8(readTarget({ trusted, read, path: 'channel/prod.json' }).bytes);
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    return error.code;
  }
}

function asJson(value: unknown): JsonValue {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? null : (JSON.parse(text) as JsonValue);
}

/** The object with one field, some levels down, replaced by nonsense. */
function bend(value: JsonObject, pick: number, nonsense: JsonValue, depth: number): JsonObject {
  const keys = Object.keys(value);
  const key = keys[pick % Math.max(1, keys.length)];
  if (key === undefined) return value;
  const inner = value[key];
  if (depth > 0 && typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
    return { ...value, [key]: bend(inner as JsonObject, pick >> 2, nonsense, depth - 1) };
  }
  return { ...value, [key]: nonsense };
}
