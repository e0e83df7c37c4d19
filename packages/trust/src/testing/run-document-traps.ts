/** The ways in which a document of a run must not count, for every gate that reads one. */
import { utf8 } from '@sealane/core';
import type { JsonObject } from '@sealane/core';
import { expect, test } from 'vitest';
import type { RunDocument } from '../reports/test-result.js';
import { junit } from './gate-documents.js';
import { digestOf, type GateLane } from './gate-lane.js';

/** A gate's lane without evidence, and a document with which the gate passes. */
export interface TrapScene {
  readonly id: string;
  readonly kind: RunDocument;
  readonly code: string;
  readonly lane: () => GateLane;
  readonly good: JsonObject;
}

/** Declares the tests. Each lane passes with `good`, so that what refuses is the trap alone. */
export function testTraps({ id, kind, code, lane, good }: TrapScene): void {
  const add = (it: GateLane, change: Parameters<GateLane['tests']>[1] = {}): GateLane => {
    it.tests(junit(3), { documents: { [kind]: good }, ...change });
    return it;
  };

  test('passes with the document of a passing run, and names that run', () => {
    const it = lane();
    const run = it.tests(junit(3), { documents: { [kind]: good } });
    expect(it.check(id)).toMatchObject({ verdict: 'pass', evidence: [run] });
  });

  test('refuses without any evidence, and without the document, with the command that adds it', () => {
    const none = lane();
    const remedy = expect.stringMatching(new RegExp(`^sealane evidence add sha256:.* --${kind} `)) as string;
    expect(none.check(id)).toMatchObject({ verdict: 'fail', code, remedy });
    none.tests(junit(3));
    expect(none.check(id)).toMatchObject({
      verdict: 'fail',
      code,
      actual: expect.stringContaining(`no passing test result with ${kind}`) as string,
    });
  });

  test.each<[string, Parameters<GateLane['tests']>[1], string]>([
    ['by a stranger', { key: 'stranger' }, 'EVIDENCE_SIGNER'],
    ['about other bytes', { subject: digestOf('other') }, 'EVIDENCE_SUBJECT'],
    ['whose blobs are missing', { blobs: 'no' }, 'CONTENT_MISSING'],
    ['whose document is empty', { documents: { [kind]: {} } }, 'EVIDENCE_RESULT'],
    ['whose document has a field more', { documents: { [kind]: { ...good, surplus: 1 } } }, 'EVIDENCE_RESULT'],
    ['whose document is of another version', { documents: { [kind]: { ...good, apiVersion: 'sealane/v2' } } }, 'EVIDENCE_RESULT'],
    ['whose document is no JSON', { documents: { [kind]: utf8('dependencies: []') } }, 'EVIDENCE_RESULT'],
    ['whose document has another spelling', { documents: { [kind]: utf8(JSON.stringify(good, null, 2)) } }, 'EVIDENCE_RESULT'],
    [
      'that names the document twice',
      {
        forge: (predicate) => {
          const [suite, entry] = predicate['configuration'] as JsonObject[];
          return { ...predicate, configuration: [suite ?? {}, entry ?? {}, entry ?? {}] };
        },
      },
      'EVIDENCE_RESULT',
    ],
    [
      'whose signed counts are not those of its report',
      { forge: (predicate) => ({ ...predicate, ...inflated(predicate) }) },
      'EVIDENCE_RESULT',
    ],
  ])('refuses a run %s', (_, change, expected) => {
    expect(add(lane(), change).check(id)).toMatchObject({ verdict: 'fail', code: expected });
  });

  test.each([
    ['failed', junit(2, 1)],
    ['was empty', utf8('<testsuite name="smoke"/>')],
    ['was skipped', utf8('<testsuite name="smoke"><testcase name="a"><skipped/></testcase></testsuite>')],
  ])('refuses a run that %s', (_, report) => {
    const it = lane();
    it.tests(report, { documents: { [kind]: good } });
    expect(it.check(id)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
  });

  test('a failure after the pass refuses, until the suite passes again; logging the old pass again is no newer', () => {
    const it = add(lane());
    it.tests(junit(2, 1));
    expect(it.check(id)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
    const pass = it.statements.find(({ statement }) => statement.predicate['result'] === 'PASSED');
    if (pass !== undefined) it.statements.push({ ...pass, logIndex: 100 });
    expect(it.check(id)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
    it.tests(junit(3), { index: 101 });
    expect(it.check(id)).toMatchObject({ verdict: 'pass' });
  });

  test('a later document of the suite that is withheld refuses: the one before it does not stand in', () => {
    const it = add(lane());
    it.tests(junit(4), { documents: { [kind]: { ...good, surplus: 1 } } });
    expect(it.check(id)).toMatchObject({ verdict: 'fail', code: 'EVIDENCE_RESULT' });
    it.tests(junit(5), { documents: { [kind]: good } });
    expect(it.check(id)).toMatchObject({ verdict: 'pass' });
  });

  test('approvers have to have seen the run', () => {
    const it = add(lane());
    it.policy = { ...it.policy, gates: [...it.policy.gates, { use: 'approvals', with: { count: 1 } }] };
    it.approve('alice', { seen: [] });
    expect(it.check('approvals')).toMatchObject({
      verdict: 'pending',
      actual: expect.stringContaining('has not seen 1 statement ') as string,
    });
  });
}

function inflated(predicate: JsonObject): JsonObject {
  const [suite, ...others] = predicate['configuration'] as JsonObject[];
  return { configuration: [{ ...suite, annotations: { ...(suite?.['annotations'] as JsonObject), total: 9, passed: 9 } }, ...others] };
}
