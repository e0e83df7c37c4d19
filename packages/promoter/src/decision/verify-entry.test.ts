/** Signatures that were checked ahead are only those that hold, by the key that is beside them. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { encodeStatement, INTOTO_PAYLOAD_TYPE, keyIdOf, makeEnvelope, pae, parseStatement, sha256, utf8 } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import type { VerifyTrust } from '@sealane/trust';
import { describe, expect, it } from 'vitest';
import { checkSignatures, verifyEntry } from './verify-entry.js';

const ORIGIN = 'lane.example';
const ledger = { origin: ORIGIN, firstCosignedCovering: () => Promise.resolve(null) } as unknown as Ledger;
const [ours, other] = [newKey(), newKey()];

function newKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return { privateKey, spki, id: keyIdOf(spki) };
}

/** An entry that says `what`, signed by `by`; whose key stands beside it is said by `claimed`. */
function entry(what: string, by = ours, claimed = ours): LedgerEntry {
  const subject = [{ digest: { sha256: '0'.repeat(64) } }];
  const payload = encodeStatement({ subject, predicateType: 'https://lane.example/said', predicate: { what } });
  const signature = new Uint8Array(sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), by.privateKey));
  return {
    index: 0,
    envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature),
    spki: claimed.spki,
    keyId: claimed.id,
    statement: parseStatement(payload),
    statementDigest: sha256(payload),
  } as unknown as LedgerEntry;
}

/** What a policy that names these keys trusts. */
function trusting(...keys: readonly (typeof ours)[]): VerifyTrust {
  const window = { origin: ORIGIN, fromIndex: 0, untilIndex: null };
  return { keys: new Map(keys.map(({ id, spki }) => [id, { spki, ...window }])), logs: [] } as unknown as VerifyTrust;
}

async function said(one: LedgerEntry, trust: VerifyTrust): Promise<unknown> {
  return await verifyEntry({ ledger }, one, trust).then(
    ({ statement }) => statement.predicate['what'],
    (error: unknown) => (error as { readonly code: string }).code,
  );
}

describe('an entry whose signature was checked ahead', () => {
  it('is verified, and as it is without that', async () => {
    const [ahead, later] = [entry('a'), entry('b')];
    await checkSignatures([ahead]);
    expect([await said(ahead, trusting(ours)), await said(later, trusting(ours))]).toEqual(['a', 'b']);
  });

  it('is refused when it was signed by another key than the one beside it, or when what was signed was another', async () => {
    const forged = entry('forged', other, ours);
    const { envelope } = entry('said');
    const changed = { ...entry('never said'), envelope: { ...envelope, payload: Buffer.from(utf8('never said')).toString('base64') } };
    await checkSignatures([forged, changed]);
    expect([await said(forged, trusting(ours, other)), await said(changed, trusting(ours))]).toEqual([
      'WAYBILL_SIGNATURE',
      'WAYBILL_SIGNATURE',
    ]);
  });

  it('is refused when policy names another key', async () => {
    const stranger = entry('stranger', other, other);
    await checkSignatures([stranger]);
    expect(await said(stranger, trusting(ours))).not.toBe('stranger');
  });
});
