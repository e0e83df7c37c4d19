/**
 * An oracle of promotion, small enough to be read at a glance: what may pass, by nothing but what people, builders and labs have done.
 *
 * It knows no statements, digests, keys or logs; the programs know nothing of it.
 */

/** A DAG with two ways between its first and its last stage, which rests on both. */
export const STAGES = ['build', 'lab-a', 'lab-b', 'prod'] as const;
export type Stage = (typeof STAGES)[number];

export const PEOPLE = ['alice', 'bob', 'carol'] as const;
export type Person = (typeof PEOPLE)[number];

export const VERSIONS = ['1.0.0', '2.0.0'] as const;
export type Version = (typeof VERSIONS)[number];

/** The same DAG as people write it: two of three people for prod. */
export const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - name: build
    gates: [{ use: provenance }]
  - name: lab-a
    from: [build]
    gates: [{ use: tests }]
  - name: lab-b
    from: [build]
    gates: [{ use: provenance }]
  - name: prod
    from: [lab-a, lab-b]
    gates: [{ use: provenance }, { use: tests }, { use: approvals, with: { count: 2 } }]
people:
${PEOPLE.map((id) => `  - { id: ${id}, keys: [${id}] }`).join('\n')}
signers: { release: [author], provenance: [builder], tests: [lab], hardware: [lab] }
registrar: registrar
`;

const FROM: Readonly<Record<Stage, readonly Stage[]>> = { build: [], 'lab-a': ['build'], 'lab-b': ['build'], prod: ['lab-a', 'lab-b'] };
const EVIDENCE: Readonly<Record<Stage, readonly ('provenance' | 'tests')[]>> = {
  build: ['provenance'],
  'lab-a': ['tests'],
  'lab-b': ['provenance'],
  prod: ['provenance', 'tests'],
};

/** What has happened to one release. A vote says how much evidence there was when it was given. */
export class ReleaseModel {
  readonly evidence = new Set<'provenance' | 'tests'>();
  readonly votes = new Map<Person, { readonly verdict: 'approve' | 'reject'; readonly saw: number }>();
  readonly passed = new Set<Stage>();
  revoked = false;

  vote(person: Person, verdict: 'approve' | 'reject'): void {
    // an approval over less than everything does not lift its giver's veto
    const complete = this.evidence.size === EVIDENCE.prod.length;
    if (verdict === 'approve' && !complete && this.votes.get(person)?.verdict === 'reject') return;
    this.votes.set(person, { verdict, saw: this.evidence.size });
  }

  /** Whether a promotion into the stage may pass now. */
  mayPass(stage: Stage): boolean {
    if (this.revoked || !FROM[stage].every((before) => this.passed.has(before))) return false;
    if (!EVIDENCE[stage].every((kind) => this.evidence.has(kind))) return false;
    return stage !== 'prod' || this.#isApproved();
  }

  #isApproved(): boolean {
    const votes = [...this.votes.values()];
    if (votes.some(({ verdict }) => verdict === 'reject')) return false;
    return votes.filter(({ saw }) => saw === EVIDENCE.prod.length).length >= 2;
  }
}
