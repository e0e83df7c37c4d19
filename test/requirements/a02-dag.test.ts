/**
 * Random sequences of commands, retries, crashes and concurrent callers against a small oracle: no stage of a DAG is ever skipped, and nothing that may pass is held up.
 *
 * `SEALANE_MODEL_RUNS` tries more sequences than the few of a normal run.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeHome, PROVENANCE, type TestHome } from '../../packages/promoter/src/testing/test-home.js';
import { killAt } from '../support/kill.js';
import { PEOPLE, type Person, PIPELINE, ReleaseModel, type Stage, STAGES, type Version, VERSIONS } from './lane-model.js';

const RUNS = Number(process.env['SEALANE_MODEL_RUNS'] ?? '4');
const JUNIT =
  '<testsuites><testsuite name="api" tests="1" failures="0"><testcase classname="api" name="answers"/></testsuite></testsuites>\n';
/** Durable steps of a promotion that passes, in their order. */
const CRASHES = [
  'ledger:committed',
  'promote:decision-logged',
  'promote:waybill-written',
  'publish:channel-written',
  'publish:snapshot-written',
];

type Step =
  | { readonly do: 'provenance' | 'tests' | 'revoke'; readonly version: Version }
  | { readonly do: 'approve' | 'reject'; readonly version: Version; readonly person: Person }
  | { readonly do: 'promote' | 'promote twice at once'; readonly version: Version; readonly stage: Stage }
  | { readonly do: 'promote, killed'; readonly version: Version; readonly stage: Stage; readonly at: string };

const version = fc.constantFrom(...VERSIONS);
const stage = fc.constantFrom(...STAGES);
const person = fc.constantFrom(...PEOPLE);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('provenance' as const, 'tests' as const), version }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('approve' as const), version, person }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reject' as const), version, person }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('promote' as const), version, stage }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('promote twice at once' as const), version, stage }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('promote, killed' as const), version, stage, at: fc.constantFrom(...CRASHES) }) },
);
/** A revocation ends a release's life: at most one, late, so that there is a life to end. */
const steps = fc
  .tuple(fc.array(step, { minLength: 12, maxLength: 18 }), fc.option(version, { freq: 3 }), fc.array(step, { maxLength: 4 }))
  .map(([before, revoked, after]): readonly Step[] =>
    revoked === null ? [...before, ...after] : [...before, { do: 'revoke', version: revoked }, ...after],
  );

/** The way that every release should go: random steps are mixed into it, else hardly any would ever reach prod. */
const WHOLE_WAY: readonly Step[] = [
  { do: 'provenance', version: '1.0.0' },
  { do: 'promote', version: '1.0.0', stage: 'build' },
  { do: 'promote', version: '1.0.0', stage: 'lab-b' },
  { do: 'promote', version: '1.0.0', stage: 'prod' },
  { do: 'tests', version: '1.0.0' },
  { do: 'approve', version: '1.0.0', person: 'alice' },
  { do: 'approve', version: '1.0.0', person: 'bob' },
  // everything but one of the two ways
  { do: 'promote', version: '1.0.0', stage: 'prod' },
  { do: 'promote', version: '1.0.0', stage: 'lab-a' },
  { do: 'promote', version: '1.0.0', stage: 'prod' },
];

/** Mixes two sequences, each in its own order, as the numbers say. */
function mixed(left: readonly Step[], right: readonly Step[], places: readonly number[]): readonly Step[] {
  const result = [...left];
  [...right].reverse().forEach((each, at) => result.splice((places[at] ?? 0) % (result.length + 1), 0, each));
  return result;
}

/** The lane beside the oracle. */
class Walk {
  readonly #models = new Map<Version, ReleaseModel>(VERSIONS.map((each) => [each, new ReleaseModel()]));
  readonly #releases = new Map<Version, string>();
  readonly #home: TestHome;

  constructor(home: TestHome) {
    this.#home = home;
  }

  async begin(): Promise<void> {
    for (const each of VERSIONS) this.#releases.set(each, await this.#home.release(each));
  }

  async take(each: Step): Promise<void> {
    const [release, model] = [this.#releases.get(each.version) ?? '', this.#model(each.version)];
    if ('stage' in each) await this.#promote(release, model, each);
    else if ('person' in each) await this.#vote(release, model, each.person, each.do);
    else if (each.do !== 'revoke') await this.#addEvidence(release, model, each.do);
    else {
      await this.#home.sealane(['revoke', release, '--reason', 'recalled']);
      model.revoked = true;
    }
  }

  /** What every site reads: a channel names releases that passed its stage, and no other. */
  async expectChannels(): Promise<void> {
    for (const name of STAGES) {
      const passed = VERSIONS.filter((each) => this.#model(each).passed.has(name)).map((each) => this.#releases.get(each));
      for (const { release } of (await this.#home.sealane(['channel', 'show', name])).groups)
        if (release !== null) expect(passed).toContain(release);
    }
  }

  async expectLedger(): Promise<void> {
    expect((await this.#home.sealane(['audit', 'verify'])).answer).toMatchObject({ ok: true, problems: [] });
  }

  #model(each: Version): ReleaseModel {
    const model = this.#models.get(each);
    if (model === undefined) throw new Error(`look up the model of ${each}`);
    return model;
  }

  async #addEvidence(release: string, model: ReleaseModel, kind: 'provenance' | 'tests'): Promise<void> {
    if (model.evidence.has(kind)) return;
    const file = kind === 'tests' ? this.#home.file('junit.xml', JUNIT) : this.#home.file('provenance.json', PROVENANCE);
    await this.#home.sealane(['evidence', 'add', release, `--${kind}`, file, '--key', kind === 'tests' ? 'lab' : 'builder']);
    model.evidence.add(kind);
  }

  async #vote(release: string, model: ReleaseModel, who: Person, verdict: 'approve' | 'reject'): Promise<void> {
    const reason = verdict === 'reject' ? ['--reason', 'not like this'] : [];
    await this.#home.sealane([verdict, release, '--to', 'prod', '--key', who, ...reason]);
    model.vote(who, verdict);
  }

  async #promote(release: string, model: ReleaseModel, each: Extract<Step, { readonly stage: Stage }>): Promise<void> {
    const words = ['promote', release, '--to', each.stage];
    const may = model.mayPass(each.stage);
    // killed while it promotes for the first time; what must come of it is what the same command says when it is run again
    if (each.do === 'promote, killed' && may && !model.passed.has(each.stage))
      await killAt(each.at, 'sealane', [...words, '--home', this.#home.home]);
    const tries = each.do === 'promote twice at once' ? 2 : 1;
    const answers = await Promise.all(Array.from({ length: tries }, () => this.#home.run(words)));
    for (const { exit, json, talk } of answers) {
      expect({ passed: exit === 0, decision: json.decision === 'passed' }, `${JSON.stringify(each)}: exit ${exit}\n${talk}`).toEqual({
        passed: may,
        decision: may,
      });
      if (!may) expect([3, 5]).toContain(exit);
    }
    expect(new Set(answers.map(({ json }) => json.statement)).size, 'two callers get one decision').toBe(1);
    if (may) model.passed.add(each.stage);
  }
}

describe('A2 any DAG of stages', () => {
  test('no sequence of commands, retries, crashes or concurrent callers skips a stage', { timeout: 60_000 * (RUNS + 2) }, async () => {
    let reached = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.nat(), { minLength: 24, maxLength: 24 }), async (random, places) => {
        const home = await makeHome(PIPELINE);
        try {
          const walk = new Walk(home);
          await walk.begin();
          for (const each of mixed(WHOLE_WAY, random, places)) await walk.take(each);
          await walk.expectChannels();
          await walk.expectLedger();
          reached += 1;
        } finally {
          await home.stop();
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(reached).toBe(RUNS);
  });
});
