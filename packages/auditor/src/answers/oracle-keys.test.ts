/** The life of keys, against the naive oracle: from which entry to which each may speak, what it signed by two times, and what of that counts. */
import type { Policy } from '@sealane/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeHistories, everyTime, sitesIn, tellHistories, type When } from '../testing/oracle.js';
import type { Told } from '../testing/history-plan.js';
import type { History } from '../testing/random-history.js';
import type { AuditContext } from './context.js';
import { keys } from './keys.js';

beforeAll(tellHistories);
afterAll(closeHistories);

/** Entries in which the word of a key counts. */
interface Life {
  readonly fromIndex: number;
  readonly untilIndex: number | null;
  readonly reason: string | null;
}

/** One key of each kind: ended early, begun late, both, and one that is as it was. */
function livesIn({ lane: { people }, told }: History): ReadonlyMap<string, Life> {
  const part = (share: number): number => Math.floor(told.length * share);
  return new Map([
    [people.lab.keyId, { fromIndex: 0, untilIndex: part(0.5), reason: 'stolen' }],
    [people.prod.keyId, { fromIndex: part(0.3), untilIndex: null, reason: null }],
    [people.alice.keyId, { fromIndex: part(0.25), untilIndex: part(0.75), reason: 'replaced' }],
    [people.author.keyId, { fromIndex: 0, untilIndex: null, reason: null }],
  ]);
}

function withLives(context: AuditContext, lives: ReadonlyMap<string, Life>): AuditContext {
  const lived = (policy: Policy): Policy => {
    const named = Object.entries(policy.keys).map(([id, key]) => [id, { ...key, ...lives.get(id) }] as const);
    return { ...policy, keys: Object.fromEntries(named) };
  };
  return { ...context, policies: context.policies.map(lived) };
}

/** Whose key signed what was told, as the histories are written. */
function signerOf(one: Told, { people }: History['lane']): string | undefined {
  if (!one.isOwn) return people.stranger.keyId;
  switch (one.kind) {
    case 'release':
      return people.author.keyId;
    case 'test':
    case 'scan':
      return people.lab.keyId;
    case 'revocation':
    case 'order':
      return people.prod.keyId;
    case 'approval':
    case 'exception':
      return people.alice.keyId;
    case 'review':
      return one.isGranters ? people.alice.keyId : people.bob.keyId;
    case 'decision':
      return { dev: people.dev, 'edge-preprod': people.preprod, prod: people.prod }[one.stage]?.keyId;
    case 'site':
      return people.registrar.keyId;
    case 'receipt':
      return undefined;
  }
}

/** What witnesses had seen by both times: keys speak by entries of the log, not by what they say of the time. */
const witnessedBy = ({ told }: History, { asOf = '9999', asKnown = '9999' }: When): readonly Told[] =>
  told.filter(({ witnessed }) => witnessed <= asOf && witnessed <= asKnown);

test('D3 keys: each in its life, as of a time and as known at one: what it signed by then, and what of that counts', async () => {
  const seen = { early: 0, alive: 0, ended: 0, counts: 0, void: 0 };
  await everyTime(async (history, plain, when) => {
    const lives = livesIn(history);
    const context = withLives(plain, lives);
    const by = witnessedBy(history, when);
    for (const [keyId, { fromIndex, untilIndex, reason }] of lives) {
      const isIn = (index: number): boolean => index >= fromIndex && (untilIndex === null || index < untilIndex);
      const { answer } = await keys(context, keyId, when);
      expect(answer.keys).toMatchObject([{ keyId, fromIndex, untilIndex, endedBecause: reason, valid: isIn(by.length) }]);
      const own = by.filter((one) => signerOf(one, history.lane) === keyId);
      expect(answer.signed).toMatchObject(own.map(({ index, witnessed }) => ({ logIndex: index, witnessed, counts: isIn(index) })));
      expect(answer.signed.length).toBe(own.length);
      seen.early += Number(by.length < fromIndex);
      seen.alive += Number(isIn(by.length));
      seen.ended += Number(untilIndex !== null && by.length >= untilIndex);
      for (const { index } of own) seen[isIn(index) ? 'counts' : 'void'] += 1;
    }
  });
  // histories without each of these would show nothing
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(0);
});

test('D3 keys: all that policy names, sites were given by then or strangers used by then, and of each whether its word counts', async () => {
  await everyTime(async (history, plain, when) => {
    const lives = livesIn(history);
    const context = withLives(plain, lives);
    const { people } = history.lane;
    const { answer } = await keys(context, undefined, when);
    expect(answer.signed).toEqual([]);
    const named = Object.values(people).map(({ keyId }) => keyId);
    const known = history.told.filter(({ witnessed }) => witnessed <= (when.asKnown ?? '9999'));
    const isStrangerSeen = known.some(({ isOwn }) => !isOwn);
    expect(answer.keys.some(({ keyId }) => keyId === people.stranger.keyId)).toBe(isStrangerSeen);
    const ids = answer.keys.map(({ keyId }) => keyId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(named.filter((id) => id !== people.stranger.keyId)));
    const sites = answer.keys.flatMap(({ roles }) => roles.filter((role) => role.startsWith('site ')));
    expect(sites.sort()).toEqual(
      sitesIn(history, when)
        .map((site) => `site ${site}`)
        .sort(),
    );
    const { length } = witnessedBy(history, when);
    for (const { keyId, valid, roles } of answer.keys) {
      const { fromIndex, untilIndex } = lives.get(keyId) ?? { fromIndex: 0, untilIndex: null };
      const isAlive = length >= fromIndex && (untilIndex === null || length < untilIndex);
      expect(valid, roles.join()).toBe(roles.length > 0 && isAlive);
    }
  });
});
