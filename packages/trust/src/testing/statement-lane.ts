/** The statements of a test lane: real signatures by people of a policy, a real log with two witnesses, waybills over them. No repository, no site. */
import {
  base64,
  canonicalJson,
  type Digest,
  digestHex,
  type Envelope,
  fromUtf8,
  type JsonObject,
  parseCheckpoint,
  sha256,
  utf8,
} from '@sealane/core';
import { type ApprovalPredicate, approvalStatement } from '../evidence/predicates/approval.js';
import { type DecisionFields, decisionStatement, type Promotion } from '../evidence/predicates/decision.js';
import { type ReleasePredicate, releaseStatement } from '../evidence/predicates/release.js';
import type { Policy } from '../policy/policy-types.js';
import { encodePolicy, policyDigest } from '../policy/policy.js';
import { readReport } from '../reports/report-format.js';
import { testResultPredicate, testResultStatement } from '../reports/test-result.js';
import { encodeWaybill, type Waybill } from '../waybill/waybill.js';
import { hbom, junit } from './gate-documents.js';
import { ed25519Key, envelopeOf, type TestSigner, testSigner } from './test-keys.js';
import { type TestLog, testLog, type TestWitness, testWitness } from './test-log.js';
import { keyEntry, type TestPeople, testPeople, testPolicy } from './test-policy.js';

/** When things happen in the usual story. */
export const TIMES = { evidence: '2026-11-24T08:00:00Z', decided: '2026-11-24T10:00:00Z', published: '2026-11-24T11:00:00Z' } as const;

const COMPONENT = {
  name: 'app',
  kind: 'image',
  digest: sha256(utf8('app')),
  size: 3,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
} as const;

interface Logged {
  readonly digest: Digest;
  readonly index: number;
  readonly envelope: Envelope;
  readonly spki: Uint8Array;
}

/** Keys of everybody, a second one of alice, and one that policy does not know. */
export type LanePeople = TestPeople & { readonly alice2: TestSigner; readonly stranger: TestSigner };

/** Made once a run: the same people work in every lane of a test file, which tells nothing about them apart from their keys. */
const PEOPLE: LanePeople = { ...testPeople(), alice2: testSigner(), stranger: testSigner() };
const WITNESSES = [testWitness('witness-a.example'), testWitness('witness-b.example')];

/** Steps log statements and return their digest. */
export class StatementLane {
  readonly people = PEOPLE;
  readonly witnesses = WITNESSES;
  readonly logKey = ed25519Key();
  readonly log: TestLog = testLog('lane.example', this.witnesses, this.logKey);
  readonly blobs = new Map<Digest, Uint8Array>();
  /** Statement bundles by digest, as a waybill carries them. */
  readonly bundles = new Map<Digest, JsonObject>();
  readonly release: Digest;
  policy: Policy;
  checkpoint = '';
  seen: Digest[] = [];
  waybillDigest: Digest | undefined;
  #open: Logged[] = [];
  #digests = new WeakMap<Policy, Digest>();

  constructor(change: (policy: Policy, people: LanePeople) => Partial<Policy> = () => ({})) {
    const gates = [
      { use: 'tests', with: {} },
      { use: 'hardware', with: {} },
      { use: 'approvals', with: { count: 2 } },
    ];
    const { people } = this;
    const policy = testPolicy(this.log, people, { gates, hardware: { require: ['vendor', 'model'], equivalences: [] } });
    const second = { ...policy.keys, [people.alice2.keyId]: keyEntry(people.alice2, this.log.origin) };
    const both = [{ id: 'alice', keys: [people.alice.keyId, people.alice2.keyId] }, ...policy.people.slice(1)];
    const whole: Policy = { ...policy, keys: second, people: both };
    this.policy = { ...whole, ...change(whole, people) };
    const { name, kind, digest, size, mediaType } = COMPONENT;
    const annotations = { 'dev.sealane.component.name': name, 'dev.sealane.component.kind': kind };
    this.release = this.keep(
      canonicalJson({
        schemaVersion: 2,
        manifests: [{ digest, size, mediaType, annotations }],
        annotations: { 'org.opencontainers.image.title': 'api', 'org.opencontainers.image.version': '1.0.0' },
      }),
    );
  }

  get policyDigest(): Digest {
    const known = this.#digests.get(this.policy) ?? policyDigest(encodePolicy(this.policy));
    this.#digests.set(this.policy, known);
    return known;
  }

  /** The owners change the policy: what was logged under the one before still counts. */
  amend(change: (policy: Policy, people: LanePeople) => Partial<Policy>): void {
    const before = { digest: this.policyDigest, belowIndex: this.log.size() };
    const { policy } = this;
    this.policy = { ...policy, version: policy.version + 1, accepts: [...policy.accepts, before], ...change(policy, this.people) };
  }

  evidence(): void {
    this.author();
    this.tests();
  }

  earlierStages(): void {
    this.decide('dev', null);
    this.decide('edge-preprod', 'dev');
  }

  /** The author's statement; `size`, `name` and `kind` are what it says of the one component, `declares` what it says that the release declares. */
  author(
    change: {
      readonly signer?: TestSigner;
      readonly size?: number;
      readonly name?: string;
      readonly kind?: ReleasePredicate['components'][number]['kind'];
      readonly declares?: NonNullable<ReleasePredicate['declares']>;
    } = {},
  ): Digest {
    const { signer = this.people.author, size = COMPONENT.size, name = COMPONENT.name, kind = COMPONENT.kind, ...declares } = change;
    return this.sign(
      releaseStatement(this.release, { name: 'api', version: '1.0.0', components: [{ ...COMPONENT, size, name, kind }], ...declares }),
      signer,
    );
  }

  tests(
    change: {
      readonly signer?: TestSigner;
      readonly report?: Uint8Array;
      readonly hardware?: JsonObject;
      readonly about?: Digest;
      readonly topology?: JsonObject;
      readonly claim?: 'PASSED';
    } = {},
  ): Digest {
    const report = change.report ?? junit(3);
    const inventory = canonicalJson(change.hardware ?? hbom());
    this.keep(report);
    const parsed = readReport('junit', report);
    const claimed = change.claim === undefined ? parsed : { ...parsed, verdict: change.claim };
    const predicate = testResultPredicate({
      report,
      format: 'junit',
      parsed: claimed,
      salt: saltOf(this.log.size()),
      hardware: this.keep(inventory),
      ...(change.topology === undefined ? {} : { topology: this.keep(canonicalJson(change.topology)) }),
    });
    const digest = this.sign(testResultStatement([{ digest: change.about ?? this.release }], predicate), change.signer ?? this.people.lab);
    this.seen.push(digest);
    return digest;
  }

  decide(
    stage: 'dev' | 'edge-preprod' | 'prod',
    from: string | null,
    change: Partial<Promotion> & { readonly signer?: TestSigner; readonly fields?: Partial<DecisionFields> } = {},
  ): Digest {
    const { signer, fields, ...promotion } = change;
    const usual = { counter: 1, from, to: stage, rollout: ['all'], approvals: [], checks: [], release: this.release };
    const payload = decisionStatement({
      origin: this.log.origin,
      stage,
      timeVerified: TIMES.decided,
      policy: this.policyDigest,
      inputs: this.seen,
      result: 'PASSED',
      ...fields,
      promotion: { ...usual, ...promotion },
    });
    return this.sign(payload, signer ?? { dev: this.people.dev, 'edge-preprod': this.people.preprod, prod: this.people.prod }[stage]);
  }

  /** A decision of prod that names another release in one part of its statement only. */
  forgeDecision(part: string, other: Digest): Digest {
    const usual = { counter: 1, from: 'edge-preprod', to: 'prod', rollout: ['all'], approvals: [], checks: [], release: this.release };
    const fields = {
      origin: this.log.origin,
      stage: 'prod',
      timeVerified: TIMES.decided,
      policy: this.policyDigest,
      inputs: [],
      result: 'PASSED' as const,
    };
    const [mine, theirs] = [this.release, other].map(
      (release) => JSON.parse(fromUtf8(decisionStatement({ ...fields, promotion: { ...usual, release } }))) as JsonObject,
    );
    return this.sign(canonicalJson({ ...mine, [part]: theirs?.[part] }), this.people.prod);
  }

  /** An approval that has seen all evidence and the last sealed checkpoint. */
  approve(person: keyof LanePeople, change: Partial<ApprovalPredicate> = {}): Digest {
    const { origin, size, root } = parseCheckpoint(this.checkpoint);
    const predicate: ApprovalPredicate = {
      release: this.release,
      stage: 'prod',
      rollout: ['all'],
      policy: this.policyDigest,
      seen: [...this.seen].sort(),
      checkpoint: { origin, size, root: base64(root) },
      verdict: 'approve',
      nonce: saltOf(this.log.size()),
      issuedAt: TIMES.evidence,
      expiresAt: '2026-11-27T08:00:00Z',
      ...change,
    };
    return this.sign(approvalStatement(predicate), this.people[person]);
  }

  /** Signs and logs a payload; its bundle gets its proof at the next `seal`. */
  sign(payload: Uint8Array, signer: TestSigner): Digest {
    const envelope = envelopeOf(payload, signer);
    const index = this.log.append(envelope, signer.spki);
    this.#open.push({ digest: sha256(payload), index, envelope, spki: signer.spki });
    return sha256(payload);
  }

  /** The witnesses cosign the log as it is, at `time`: the witnessed time of what was logged since the last seal. */
  seal(time: string, witnesses: readonly TestWitness[] = this.witnesses): void {
    this.checkpoint = this.log.checkpoint(time, this.log.size(), witnesses);
    for (const entry of this.#open) this.bundles.set(entry.digest, this.log.bundle(entry, this.checkpoint));
    this.#open = [];
  }

  keep(bytes: Uint8Array): Digest {
    const digest = sha256(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  /** Keeps the waybill of a decision with all sealed bundles, or as changed. */
  waybill(decision: Digest, change: Partial<Waybill> = {}): Digest {
    const blobs = [...this.blobs].filter(([digest]) => digest !== this.release && digest !== this.waybillDigest);
    const waybill: Waybill = {
      apiVersion: 'sealane/v1',
      kind: 'Waybill',
      release: this.release,
      stage: 'prod',
      decision,
      bundles: [...this.bundles.values()],
      blobs: blobs.map(([digest, bytes]) => ({ digest, size: bytes.length, mediaType: 'application/octet-stream' })),
      ...change,
    };
    this.waybillDigest = this.keep(encodeWaybill(waybill));
    return this.waybillDigest;
  }
}

/** 32 hex digits that differ for each number. */
export function saltOf(number: number): string {
  return digestHex(sha256(utf8(`salt ${number}`))).slice(0, 32);
}
