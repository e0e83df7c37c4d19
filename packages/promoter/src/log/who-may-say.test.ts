/** What the promoter acts on without a gate is nobody's word but theirs, also where it lies in the log already. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { base64, type Digest, type JsonObject, keyIdOf, parseDigest, PREDICATE } from '@sealane/core';
import { decisionStatement, type Policy, receiptStatement, siteRecordStatement } from '@sealane/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleFile, logAsIs, signedAs } from '../testing/forged.js';
import { mayBeSaidAt } from './who-may-say.js';
import { makeHome, PROVENANCE, type TestHome } from '../testing/test-home.js';

const AT = '2026-11-24T10:00:00Z';
const SALT = '0'.repeat(32);
const NAMES = ['author', 'builder', 'lab', 'registrar', 'dev', 'prod', 'keeper', 'alice'];
const window = { fromIndex: 0, untilIndex: 10 };
const policyOf = (stage: string): Policy =>
  ({
    stage,
    chain: ['dev', 'prod'].slice(0, stage === 'dev' ? 1 : 2).map((name) => ({ stage: name, from: [], keys: [name] })),
    keys: Object.fromEntries(NAMES.map((name) => [name, window])),
    people: [{ id: 'alice', keys: ['alice'] }],
    registrar: ['registrar'],
    signers: { release: ['author'], provenance: ['builder'], tests: ['lab'], secrets: ['keeper'] },
  }) as unknown as Policy;
const POLICIES = [policyOf('dev'), policyOf('prod')];

it.each<[string, JsonObject, readonly string[]]>([
  [PREDICATE.release, {}, ['author']],
  [PREDICATE.decision, { sealane_promotion: { to: 'dev' } }, ['dev']],
  [PREDICATE.decision, { sealane_promotion: { to: 'prod' } }, ['prod']],
  [PREDICATE.decision, { sealane_promotion: null }, []],
  [PREDICATE.decision, {}, NAMES],
  [PREDICATE.order, { stage: 'prod' }, ['prod']],
  [PREDICATE.revocation, {}, ['author', 'dev', 'prod', 'alice']],
  [PREDICATE.siteCertificate, {}, ['dev', 'prod']],
  [PREDICATE.anchor, {}, ['dev', 'prod']],
  [PREDICATE.siteRecord, {}, ['registrar']],
  [PREDICATE.recall, {}, ['registrar']],
  [PREDICATE.exception, {}, ['alice']],
  [PREDICATE.secret, {}, ['keeper']],
  [PREDICATE.receipt, {}, []],
  [PREDICATE.testResult, {}, NAMES],
  ['__proto__', {}, NAMES],
])('%s %o is the word of %o, while their keys count', (predicateType, predicate, signers) => {
  const sayers = (index: number): readonly string[] =>
    NAMES.filter((keyId) => mayBeSaidAt(POLICIES, { keyId, index }, { predicateType, predicate }));
  expect(sayers(9)).toEqual(signers);
  expect(sayers(10)).toEqual(signers === NAMES ? NAMES : []);
});

let lane: TestHome;
let release: Digest;

describe('in a home', () => {
  beforeEach(async () => {
    lane = await makeHome();
    release = parseDigest(await lane.release('1.0.0'));
  });
  afterEach(async () => {
    await lane.stop();
  });

  /** A decision that lets the release into dev, as the stage's own would say it. */
  function decision(policy: string, inputs: readonly Digest[]): Uint8Array {
    return decisionStatement({
      origin: 'lane.example',
      stage: 'dev',
      timeVerified: AT,
      policy: parseDigest(policy),
      inputs,
      result: 'PASSED',
      promotion: { counter: 9_000_000_000_000_000, from: null, to: 'dev', rollout: ['all'], approvals: [], checks: [], release },
    });
  }

  it('neither statements nor evidence are taken from whoever has another say', async () => {
    const { spki } = await signedAs(lane, 'lab', new Uint8Array());
    const keyId = keyIdOf(spki);
    const forged = {
      decision: decision(release, []),
      site: siteRecordStatement({
        site: 'edge-1',
        key: { id: keyId, spki: base64(spki) },
        stage: 'prod',
        labels: {},
        nonce: SALT,
        issuedAt: AT,
      }),
      receipt: receiptStatement({
        ...{ site: 'edge-1', keyId, seq: 0, prev: null, event: 'installed', release, waybill: null, previous: null, reason: null },
        ...{ checks: [], at: AT, hardware: {}, checkpoint: null, salt: SALT },
      }),
    };
    for (const [what, payload] of Object.entries(forged)) {
      const file = bundleFile(lane, await signedAs(lane, 'lab', payload));
      const refusals = [await lane.run(['statement', 'add', file]), await lane.run(['evidence', 'add', release, '--bundle', file])];
      for (const { exit, json } of refusals)
        expect({ what, exit, code: json.error?.code }).toEqual({
          what,
          exit: 3,
          code: expect.stringMatching(/^EVIDENCE_(SIGNER|SUBJECT)$/),
        });
    }
    expect((await lane.sealane(['site', 'list'])).sites).toEqual([]);
    const own = await lane.sealane(['evidence', 'list', release]);
    expect(own).toEqual({ statements: [] });
  });

  it('a decision by another key that says the same is not the stage’s: it makes its own, with its own counter, and is pointed at no release by it', async () => {
    await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('provenance.json', PROVENANCE), '--key', 'builder']);
    const planned = await lane.sealane(['plan', release, '--to', 'dev']);
    const policies = readdirSync(path.join(lane.home, 'lane', 'trust', 'targets', 'policy'));
    const [hash = ''] = policies.find((name) => name.endsWith('.dev.json'))?.split('.') ?? [];
    const inputs = planned.checks.flatMap(({ evidence }: { evidence: readonly Digest[] }) => evidence);
    const index = await logAsIs(lane, await signedAs(lane, 'lab', decision(`sha256:${hash}`, inputs)));
    expect((await lane.run(['channel', 'set', 'dev', release])).json.error?.code).toBe('WAYBILL_STAGE_ORDER');
    const passed = await lane.sealane(['promote', release, '--to', 'dev']);
    expect(passed.logIndex).toBeGreaterThan(index);
    expect((await lane.sealane(['channel', 'show', 'dev'])).groups).toMatchObject([{ release, counter: 1 }]);
  });
});
