/** Random steps of people, builders, promoters and crashes, taken on a real lane beside the oracle of `lane-model.ts`. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { PROVENANCE, type TestHome } from '../../packages/promoter/src/testing/test-home.js';
import { killAt } from '../support/kill.js';
import { PEOPLE, type Person, ReleaseModel, type Stage, STAGES, type Version, VERSIONS } from './lane-model.js';

const JUNIT =
  '<testsuites><testsuite name="api" tests="1" failures="0"><testcase classname="api" name="answers"/></testsuite></testsuites>\n';
/** Durable steps of a promotion that passes, in their order. */
const CRASHES = ['ledger:committed', 'promote:decision-logged', 'ledger:tiles-published', 'publish:snapshot-written'];

export type Step =
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
export const steps = fc
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

/** That way with random steps mixed into it, each in its own order, as the numbers say. */
export function mixedIn(random: readonly Step[], places: readonly number[]): readonly Step[] {
  const result = [...WHOLE_WAY];
  [...random].reverse().forEach((each, at) => result.splice((places[at] ?? 0) % (result.length + 1), 0, each));
  return result;
}

/** What a walk needs of a home. */
export type WalkedHome = Pick<TestHome, 'home' | 'run' | 'sealane' | 'file' | 'release'>;

/** The lane beside the oracle. */
export class Walk {
  readonly #models = new Map<Version, ReleaseModel>(VERSIONS.map((each) => [each, new ReleaseModel()]));
  readonly #releases = new Map<Version, string>();
  readonly #home: WalkedHome;

  constructor(home: WalkedHome) {
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
