/**
 * Random sequences of approvals, vetoes, evidence, revoked keys, lost roles and new policies against a small oracle: who stands behind a release is what the sequence says, in
 * whichever order it came.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { junit } from '../testing/gate-documents.js';
import { digestOf, gate, GateLane, keyOf, POLICY } from '../testing/gate-lane.js';
import { evidenceToApprove } from './index.js';

const HOLDERS: Readonly<Record<string, string>> = { alice: 'alice', alice2: 'alice', bob: 'bob', carol: 'carol' };
const KEYS = Object.keys(HOLDERS);
const OLD = digestOf('old policy');

type Act =
  | {
      readonly act: 'approve';
      readonly key: string;
      readonly flaw: 'none' | 'expired' | 'groups' | 'old policy' | 'stage' | 'stranger policy';
    }
  | { readonly act: 'reject'; readonly key: string }
  | { readonly act: 'test'; readonly key: string }
  | { readonly act: 'author'; readonly key: string }
  | { readonly act: 'revoke'; readonly key: string };

const key = fc.constantFrom(...KEYS);
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('approve' as const), key, flaw: flaws() }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('reject' as const), key }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('test' as const), key: fc.constantFrom('lab', 'lab2', 'carol') }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('author' as const), key: fc.constantFrom('author', 'bob') }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('revoke' as const), key }) },
  ),
  { maxLength: 14 },
);

function flaws(): fc.Arbitrary<'none' | 'expired' | 'groups' | 'old policy' | 'stage' | 'stranger policy'> {
  return fc.constantFrom('none', 'none', 'none', 'none', 'expired', 'groups', 'old policy', 'stage', 'stranger policy');
}

/** What was said, as the oracle remembers it. */
interface Said {
  readonly key: string;
  readonly index: number;
  readonly verdict: 'approve' | 'reject';
  readonly isMeant: boolean;
  readonly isOld: boolean;
  readonly isAboutStage: boolean;
  readonly seen: readonly string[];
}

class Model {
  readonly lane = new GateLane(gate('tests'), gate('approvals', { count: 2 }));
  readonly said: Said[] = [];
  readonly until = new Map<string, number>();
  readonly apart = new Set<string>();
  #nonce = 0;

  constructor() {
    const { signers } = this.lane.policy;
    this.lane.policy = {
      ...this.lane.policy,
      signers: { ...signers, tests: [...signers.tests, keyOf('carol')], release: [...signers.release, keyOf('bob')] },
      accepts: [{ digest: OLD, belowIndex: 8 }],
    };
    this.lane.tests(junit(3));
  }

  get next(): number {
    return Math.max(-1, ...this.lane.statements.map(({ logIndex }) => logIndex)) + 1;
  }

  take(each: Act): void {
    const index = this.next;
    if (each.act === 'revoke') {
      const at = Math.min(index, this.until.get(each.key) ?? index);
      this.until.set(each.key, at);
      const id = keyOf(each.key);
      const window = this.lane.policy.keys[id];
      if (window !== undefined)
        this.lane.policy = { ...this.lane.policy, keys: { ...this.lane.policy.keys, [id]: { ...window, untilIndex: at } } };
    } else if (each.act === 'test' || each.act === 'author') {
      if (each.act === 'test') this.lane.tests(junit(3), { key: each.key });
      else this.lane.release(each.key);
      const person = HOLDERS[each.key];
      // whose hands it went through, whether or not that key counts now
      if (person !== undefined) this.apart.add(person);
    } else this.say(each, index);
  }

  say(each: Extract<Act, { key: string; act: 'approve' | 'reject' }>, index: number): void {
    const flaw = each.act === 'approve' ? each.flaw : 'none';
    this.#nonce += 1;
    const seen = evidenceToApprove(this.lane.input());
    this.lane.approve(HOLDERS[each.key] ?? '', {
      key: each.key,
      verdict: each.act,
      nonce: this.#nonce.toString(16).padStart(32, '0'),
      ...(flaw === 'expired' ? { expiresAt: '2026-11-24T09:59:59Z' } : {}),
      ...(flaw === 'groups' ? { rollout: ['canary'] } : {}),
      ...(flaw === 'stage' ? { stage: 'dev' } : {}),
      ...(flaw === 'old policy' ? { policy: OLD } : {}),
      ...(flaw === 'stranger policy' ? { policy: digestOf('policy of nobody') } : {}),
    });
    const isMeant = flaw === 'none' || flaw === 'old policy';
    this.said.push({
      key: each.key,
      index,
      verdict: each.act,
      isMeant,
      isOld: flaw === 'old policy',
      isAboutStage: flaw !== 'stage',
      seen,
    });
  }

  /** The oracle. */
  expected(): { readonly approving: readonly string[]; readonly rejecting: readonly string[] } {
    const now = evidenceToApprove(this.lane.input());
    const people = [...new Set(Object.values(HOLDERS))];
    const last = (person: string, wanted: (said: Said) => boolean): number =>
      Math.max(
        -1,
        ...this.said
          .filter(({ key: by, index }) => HOLDERS[by] === person && index < (this.until.get(by) ?? Infinity))
          .filter(({ isAboutStage }) => isAboutStage)
          .filter(wanted)
          .map(({ index }) => index),
      );
    const counts = ({ verdict, isMeant, isOld, index, seen }: Said): boolean =>
      verdict === 'approve' && isMeant && (!isOld || index < 8) && now.every((digest) => seen.includes(digest));
    const approvedAt = (person: string): number => (this.apart.has(person) ? -1 : last(person, counts));
    const rejectedAt = (person: string): number => last(person, ({ verdict }) => verdict === 'reject');
    return {
      approving: people.filter((person) => approvedAt(person) > rejectedAt(person)),
      rejecting: people.filter((person) => rejectedAt(person) > approvedAt(person)),
    };
  }
}

test('who stands behind a release is what was said of it, whatever came between', () => {
  let passed = 0;
  fc.assert(
    fc.property(acts, (sequence) => {
      const model = new Model();
      for (const each of sequence) model.take(each);
      const { approving, rejecting } = model.expected();
      const check = model.lane.check('approvals');
      if (rejecting.length > 0)
        expect(check).toMatchObject({ verdict: 'fail', actual: expect.stringContaining(`${rejecting[0]} rejected it`) });
      else if (approving.length >= 2) expect(check).toMatchObject({ verdict: 'pass', actual: `approved by ${approving.join(', ')}` });
      else expect(check.verdict).not.toBe('pass');
      if (check.verdict === 'pass') passed += 1;
    }),
    { numRuns: 150 },
  );
  expect(passed).toBeGreaterThan(0);
  expect(POLICY).not.toBe(OLD);
});
