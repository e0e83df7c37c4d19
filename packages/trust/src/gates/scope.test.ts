import { describe, expect, test } from 'vitest';
import { junit } from '../testing/gate-documents.js';
import { gate, GateLane, keyOf } from '../testing/gate-lane.js';
import type { PolicyScope } from '../policy/policy-types.js';
import { evaluateGates } from './index.js';

const api: PolicyScope = { team: 'edge', releases: ['api'], classes: {}, signers: [], people: [], repositories: [] };
const other: PolicyScope = { ...api, team: 'other', releases: ['elsewhere'] };
const provenance = (source: string) => ({
  buildDefinition: { buildType: 'x', externalParameters: { source } },
  runDetails: { builder: { id: 'https://builder.example' } },
});

function lane(...scopes: readonly PolicyScope[]): GateLane {
  const it = new GateLane(gate('provenance'), gate('tests'), gate('approvals', { count: 1 }));
  it.policy = { ...it.policy, scopes };
  it.provenance(provenance('https://git.example/edge/api'));
  it.tests(junit(3));
  it.approve('alice');
  return it;
}

const verdicts = (it: GateLane): string[] =>
  evaluateGates(it.input())
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ id, code }) => `${id} ${code ?? ''}`);

describe('scope', () => {
  test('is no check where policy has none', () => {
    const it = lane();
    it.policy = { ...it.policy, scopes: undefined as never };
    expect(evaluateGates(it.input()).some(({ id }) => id === 'scope')).toBe(false);
  });

  test('passes for a release of the team, by keys of the team and of the whole organisation', () => {
    const signers = ['author', 'builder'].map(keyOf);
    expect(verdicts(lane({ ...api, signers, people: ['alice'], repositories: ['https://git.example/edge/api'] }, other))).toEqual([]);
  });

  test('refuses a release that is in no scope', () => {
    expect(verdicts(lane(other))).toEqual(['scope EVIDENCE_SCOPE']);
  });

  test.each([
    ['author', ['approvals WAYBILL_APPROVALS', 'scope EVIDENCE_SCOPE']],
    ['builder', ['provenance EVIDENCE_SCOPE', 'approvals WAYBILL_APPROVALS']],
    ['lab', ['tests EVIDENCE_SCOPE', 'approvals WAYBILL_APPROVALS']],
  ])('a key of another team counts for nothing: %s', (name, expected) => {
    const it = lane(api, { ...other, signers: [keyOf(name)] });
    for (const line of expected.filter((each) => !each.startsWith('approvals'))) expect(verdicts(it)).toContain(line);
  });

  test('a person of another team neither approves nor vetoes', () => {
    const it = lane(api, { ...other, people: ['alice'] });
    expect(it.check('approvals')).toMatchObject({ verdict: 'pending', actual: expect.stringContaining('alice: key') as string });
    const veto = lane(api, { ...other, people: ['bob'] });
    veto.approve('bob', { verdict: 'reject' });
    expect(veto.check('approvals')).toMatchObject({ verdict: 'pass' });
  });

  test('another source than the team’s refuses, and one that is not stated', () => {
    const it = lane({ ...api, repositories: ['https://git.example/edge'] });
    expect(it.check('scope')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SCOPE', actual: 'source https://git.example/edge/api' });
  });

  test('where the team has repositories, provenance has to say one of them', () => {
    const scope = { ...api, repositories: ['https://git.example/edge/web', 'https://git.example/edge/api'] };
    expect(lane(scope).check('scope')).toMatchObject({ verdict: 'pass', actual: 'of edge, from https://git.example/edge/api' });
    const none = lane(scope);
    none.statements.splice(0, none.statements.length, ...none.statements.filter(({ keyId }) => keyId !== keyOf('builder')));
    expect(none.check('scope')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT', actual: 'no provenance' });
    const unknown = lane(scope);
    unknown.provenance({ buildDefinition: { buildType: 'x', externalParameters: {} }, runDetails: { builder: { id: 'x' } } });
    expect(unknown.check('scope')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SCOPE', actual: 'source not stated' });
  });

  test('the class that the release declares decides, and nothing else that it says', () => {
    const it = lane({ ...api, classes: { latency: ['control'] } });
    expect(it.check('scope')).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_SCOPE' });
    const declares = { class: { latency: 'control', locality: 'site', state: 'cache', compliance: 'none', recovery: 'manual' } } as const;
    const input = it.input();
    expect(evaluateGates({ ...input, releaseDoc: { ...input.releaseDoc, declares } }).find(({ id }) => id === 'scope')).toMatchObject({
      verdict: 'pass',
    });
  });
});
