/** What an owner is shown is made of what is signed: whoever owns the promoter's host (THREATS T1) writes the proposal, and must not choose the words. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeHome, PIPELINE, type TestHome } from '../testing/test-home.js';
import { valueChanges } from './value-changes.js';

interface Draft {
  changes: string[];
  basedOn: { root: number; targets: number };
  currentRoot: { signatures: unknown[]; signed: { roles: { targets: { threshold: number } } } };
  currentTargets?: { signatures: unknown[]; signed: { targets: Record<string, unknown> } };
  currentFiles?: Record<string, { gates: { use: string; with: Record<string, unknown> }[] }>;
  targets: { signed: { version: number; targets: Record<string, { length: number }> } };
  files: Record<string, unknown>;
}

let lane: TestHome;
let proposal: string;
let honest: string;

beforeAll(async () => {
  lane = await makeHome();
  proposal = path.join(lane.home, 'proposal.json');
  const pipeline = path.join(lane.home, 'pipeline.yaml');
  writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace('count: 1', 'count: 2'));
  await lane.sealane(['trust', 'propose'], 5);
  honest = readFileSync(proposal, 'utf8');
});

afterEach(() => {
  writeFileSync(proposal, honest);
});

afterAll(async () => {
  await lane.stop();
});

function bend(change: (draft: Draft) => void): void {
  const draft = JSON.parse(honest) as Draft;
  change(draft);
  writeFileSync(proposal, JSON.stringify(draft));
}

describe('a proposal', () => {
  it('shows what differs, place by place, and on top of what', async () => {
    const { exit, json } = await lane.run(['trust', 'show']);
    expect(exit).toBe(0);
    expect(json.changes).toEqual([
      'policy/prod.json: gates["approvals"].with.count: 1 becomes 2',
      expect.stringMatching(/^policy\/prod\.json: accepts/),
      expect.stringMatching(/^targets: version 2, until /),
    ]);
    expect(json.comparedWith).toEqual({ root: expect.stringMatching(/^sha256:/), targets: expect.stringMatching(/^sha256:/) });
  });

  it('stands on the root that an owner keeps, or is refused', async () => {
    const kept = path.join(lane.home, 'lane', 'trust', 'metadata', '1.root.json');
    expect(await lane.run(['trust', 'show', '--root', kept])).toMatchObject({ exit: 0 });
    // all of it made up by somebody with keys of his own, who signs as many roots as he likes
    const forger = await makeHome(`${PIPELINE}# of somebody else\n`);
    const theirs = path.join(forger.home, 'lane', 'trust', 'metadata', '1.root.json');
    const refused = { exit: 4, json: { error: { code: 'TRUST_MISMATCH' } } };
    expect(await lane.run(['trust', 'show', '--root', theirs])).toMatchObject(refused);
    const before = readFileSync(proposal);
    expect(await lane.run(['trust', 'sign', proposal, '--key', 'targets-1', '--root', theirs])).toMatchObject(refused);
    expect(readFileSync(proposal)).toEqual(before);
    await forger.stop();
    // and one that has the same version and other keys
    const other = JSON.parse(readFileSync(kept, 'utf8')) as { signed: { roles: { root: { threshold: number } } } };
    other.signed.roles.root.threshold += 1;
    expect(await lane.run(['trust', 'show', '--root', lane.file('other.root.json', JSON.stringify(other))])).toMatchObject(refused);
    expect(await lane.run(['trust', 'show', '--root', lane.file('no.root.json', '{}')])).toMatchObject({
      exit: 4,
      json: { error: { code: 'TRUST_MALFORMED' } },
    });
    const signed = await lane.run(['trust', 'sign', proposal, '--key', 'targets-1', '--root', kept]);
    expect(signed).toMatchObject({ exit: 0, json: { targets: { missing: 1 } } });
    expect(readFileSync(proposal)).not.toEqual(before);
  });

  it.each<[string, (draft: Draft) => void]>([
    ['says that it only renews', (draft) => (draft.changes = draft.changes.slice(-1))],
    ['says nothing', (draft) => (draft.changes = [])],
    ['says another thing', (draft) => (draft.changes[1] = 'policy/prod.json: gates["approvals"].with.count: 1 becomes 3')],
    ['says more', (draft) => draft.changes.push('policy/prod.json: quorum: 1 becomes 2')],
    ['leaves out what was published', (draft) => delete draft.currentTargets],
    ['leaves out the policy of before', (draft) => (draft.currentFiles = {})],
    [
      'brings a policy of before that was never published',
      (draft) => {
        const before = draft.currentFiles?.['policy/prod.json']?.gates.find(({ use }) => use === 'approvals');
        if (before !== undefined) before.with['count'] = 2;
        draft.changes = draft.changes.slice(-1);
      },
    ],
    ['leaves out the new policy', (draft) => ((draft.files = {}), (draft.changes = draft.changes.slice(-1)))],
    ['stands on targets that no owner signed', (draft) => (draft.currentTargets!.signatures = [])],
    ['stands on a root that no owner signed', (draft) => (draft.currentRoot.signatures = [])],
    ['skips a version', (draft) => (draft.basedOn.targets = 2)],
  ])('that %s is refused before anybody signs', async (_, change) => {
    bend(change);
    for (const words of [['show'], ['sign', proposal, '--key', 'targets-1']]) {
      const { exit, json } = await lane.run(['trust', ...words]);
      expect({ exit, code: json.error?.code }).toEqual({ exit: 2, code: 'CONFIG_INVALID' });
    }
  });
});

describe('what differs between two values', () => {
  it('is nothing where nothing does', () => {
    expect(valueChanges('at', { a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([]);
  });

  it('is told by the part that differs, however long the rest', () => {
    const people = Array.from({ length: 200 }, (_, at) => ({ id: `person-${at}`, keys: ['0'.repeat(64)] }));
    expect(valueChanges('people', people, [...people, { id: 'mallory', keys: ['1'] }])).toEqual([
      'people["mallory"]: nothing becomes {"id":"mallory","keys":["1"]}',
    ]);
    expect(valueChanges('people', people, [{ id: 'person-0', keys: ['0'.repeat(64), '1'] }, ...people.slice(1)])).toEqual([
      'people["person-0"].keys: with "1"',
    ]);
    expect(valueChanges('people', undefined, people)).toHaveLength(200);
  });

  it.each([
    ['an order', [1, 2], [2, 1], ['at: in another order']],
    [
      'items of one name',
      [
        { use: 'cel', with: 1 },
        { use: 'cel', with: 2 },
      ],
      [{ use: 'cel', with: 1 }],
      ['at: without {"use":"cel","with":2}'],
    ],
    ['the order of named ones', [{ id: 'a' }, { id: 'b' }], [{ id: 'b' }, { id: 'a' }], ['at: in another order']],
    ['how often', [1, 1], [1], ['at: without 1']],
    ['a kind', {}, [], ['at: {} becomes []']],
    ['what is not there from null', { a: null }, {}, ['at.a: null becomes nothing']],
  ])('sees %s', (_, before, after, lines) => {
    expect(valueChanges('at', before, after)).toEqual(lines);
  });
});
