/**
 * The witness policies of `test/vectors/notes/policies.json` (C2SP tlog-policy), said in our own policy's words: what that format refuses, a
 * policy of ours cannot say either. Ours is narrower: one flat group of at least one witness, in canonical JSON.
 */
import { canonicalJson } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { noteVectors } from '../../../../test/support/note-vectors.js';
import { refusal } from '../../../../test/support/refusal.js';
import { testLog, testWitness } from '../testing/test-log.js';
import { testPeople, testPolicy } from '../testing/test-policy.js';
import { parsePolicy } from './policy.js';

interface Vector {
  readonly name: string;
  readonly expect: 'accept' | 'reject';
  readonly policy: string;
}

/** Not to be said in our words: an order of lines, two quorums, groups within groups. */
const OTHER_WORDS = ['two-quorums', 'used-before-defined', 'nested-groups'];
/** C2SP takes a policy that asks for no witness; a lane never does. */
const STRICTER = ['none'];

const vectors = noteVectors('policies') as readonly Vector[];
const base = testPolicy(testLog('lane.example', [testWitness('w.example')]), testPeople());

/** The lines of a policy as ours says them; a group's threshold is the quorum. */
function translated(text: string): Uint8Array {
  const lines = text.split('\n').map((line) => line.split(' '));
  const [vkey = '', baseUrl = `https://${vkey.split('+')[0] ?? ''}`] = lines.find(([word]) => word === 'log')?.slice(1) ?? [];
  const origin = vkey.split('+')[0] ?? '';
  const threshold = lines.find(([word]) => word === 'group')?.[2];
  const keys = Object.fromEntries(Object.entries(base.keys).map(([id, key]) => [id, { ...key, origin }]));
  const witnesses = lines.filter(([word]) => word === 'witness').map(([, , key = '']) => key);
  return canonicalJson({ ...base, keys, lane: origin, logs: [{ origin, baseUrl, vkey }], witnesses, quorum: Number(threshold ?? 0) });
}

describe('the C2SP witness policies', () => {
  it('are nine', () => {
    expect(vectors).toHaveLength(9);
    expect([...OTHER_WORDS, ...STRICTER].filter((name) => !vectors.some((one) => one.name === name))).toEqual([]);
  });

  it.each(vectors.filter(({ name }) => !OTHER_WORDS.includes(name)))('$name', (one) => {
    const code = refusal(() => parsePolicy(translated(one.policy)));
    expect(code).toBe(one.expect === 'accept' && !STRICTER.includes(one.name) ? undefined : 'TRUST_MALFORMED');
  });
});
