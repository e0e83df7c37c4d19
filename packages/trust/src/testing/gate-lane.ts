/** A lane for gate tests: verified statements made by hand (keys are names, hashed), with a log that only counts. */
import {
  base64,
  canonicalJson,
  type Check,
  type Digest,
  digestHex,
  type JsonObject,
  parseStatement,
  PREDICATE,
  sha256,
  utf8,
} from '@sealane/core';
import { approvalStatement, type ApprovalPredicate } from '../evidence/predicates/approval.js';
import type { ReleaseDeclaration } from '../evidence/predicates/declaration.js';
import { decisionStatement } from '../evidence/predicates/decision.js';
import { type RecalledThing, type RecallPredicate, recallStatement } from '../evidence/predicates/recall.js';
import { type RigPredicate, rigStatement } from '../evidence/predicates/rig.js';
import { type RigRebuildPredicate, rigRebuildStatement } from '../evidence/predicates/rig-rebuild.js';
import { releaseStatement } from '../evidence/predicates/release.js';
import { writePredicate } from '../evidence/predicates/statement.js';
import type { VerifiedStatement } from '../evidence/statement-checks.js';
import { evaluateGates, evidenceToApprove, GATES } from '../gates/index.js';
import type { FleetSite, Gate, GateInput } from '../gates/gate.js';
import type { Policy, PolicyGate } from '../policy/policy-types.js';
import { type ReportFormat, readReport } from '../reports/report-format.js';
import { type RunDocument, testResultPredicate, testResultStatement } from '../reports/test-result.js';
import { gatePolicy, keyOf } from './gate-policy.js';
import { z } from 'zod';

export { gate, keyOf } from './gate-policy.js';

/** A digest that names nothing. */
export const digestOf = (name: string): Digest => sha256(utf8(name));

export const RELEASE = digestOf('release');
export const POLICY = digestOf('policy');
const NONCE = '0'.repeat(32);
const AT = '2026-11-24T10:00:00Z';

/** Options of a statement: who signs it, and (for forgeries) what it is about. */
export interface SignOptions {
  readonly key?: string;
  readonly subject?: Digest;
  readonly witnessed?: string | null;
  readonly index?: number;
}

const anyPredicate = z.looseObject({});

/** A lane at prod whose earlier stages have decided and whose author has signed. Methods log statements and return their digest. */
export class GateLane {
  readonly statements: VerifiedStatement[] = [];
  readonly blobs = new Map<Digest, Uint8Array>();
  #next = 0;
  policy: Policy;
  fleet: FleetSite[] = [];
  time = { lowest: AT, highest: AT };
  rollout: readonly string[] = ['all'];
  components: GateInput['releaseDoc']['components'] = [];
  /** What the release declares; absent: nothing. */
  declares: ReleaseDeclaration | undefined;
  irreversible = false;
  replaces: readonly Digest[] | undefined = [];

  constructor(...gates: readonly PolicyGate[]) {
    this.policy = gatePolicy(gates);
    this.release();
    this.decide('dev', null);
    this.decide('edge-preprod', 'dev');
  }

  /** Logs a payload as verified. */
  log(payload: Uint8Array, options: SignOptions = {}): Digest {
    const logIndex = options.index ?? this.#next;
    this.#next = Math.max(this.#next, logIndex) + 1;
    const time = options.witnessed === undefined ? '2026-11-24T09:00:00Z' : options.witnessed;
    const statement = parseStatement(payload);
    const digest = sha256(payload);
    this.statements.push({
      digest,
      keyId: keyOf(options.key ?? 'stranger'),
      logIndex,
      statement,
      checkpoint: null,
      witnessed: time === null ? null : { lowest: time, highest: time },
    });
    return digest;
  }

  release(key = 'author'): Digest {
    const components = [
      { name: 'app', kind: 'image', digest: digestOf('app'), size: 1, mediaType: 'application/vnd.oci.image.manifest.v1+json' },
    ] as const;
    return this.log(releaseStatement(RELEASE, { name: 'api', version: '1.0.0', components }), { key });
  }

  decide(
    stage: string,
    from: string | null,
    change: {
      readonly result?: 'PASSED' | 'FAILED';
      readonly lane?: string;
      readonly release?: Digest;
      readonly claim?: string;
    } & SignOptions = {},
  ): Digest {
    const result = change.result ?? 'PASSED';
    const promotion = {
      counter: result === 'PASSED' ? 1 : null,
      from,
      to: change.claim ?? stage,
      rollout: ['all'],
      approvals: [],
      checks: [],
      release: change.release ?? RELEASE,
    };
    const fields = {
      origin: change.lane ?? 'lane.example',
      stage: change.claim ?? stage,
      timeVerified: AT,
      policy: POLICY,
      inputs: [],
      result,
      promotion,
    };
    return this.log(decisionStatement(fields), { key: stage, ...change });
  }

  /** Enrols a rig; its key is `key <name>` hashed, as all keys here. */
  rig(name: string, inventory: JsonObject, change: Omit<Partial<RigPredicate>, 'key'> & SignOptions = {}): Digest {
    const { key = 'registrar', subject, witnessed, index, ...fields } = change;
    const spki = utf8(`key ${name}`);
    const predicate = { rig: name, key: { id: keyOf(name), spki: base64(spki) }, ...this.#build(inventory), ...fields };
    return this.log(rigStatement(predicate), { key, ...signOptions({ subject, witnessed, index }) });
  }

  /** Says that a rig was rebuilt, by its own key. */
  rebuild(name: string, inventory: JsonObject, change: Partial<RigRebuildPredicate> & SignOptions = {}): Digest {
    const { key = name, subject, witnessed, index, ...fields } = change;
    const predicate = { rig: name, keyId: keyOf(name), ...this.#build(inventory), ...fields };
    return this.log(rigRebuildStatement(predicate), { key, ...signOptions({ subject, witnessed, index }) });
  }

  recall(recalled: RecalledThing, change: Partial<RecallPredicate> & SignOptions = {}): Digest {
    const { key = 'registrar', subject, witnessed, index, ...fields } = change;
    const predicate = { recalled, untilIndex: 0, reason: 'loose cable', salt: NONCE, ...fields };
    return this.log(recallStatement(predicate), { key, ...signOptions({ subject, witnessed, index }) });
  }

  /** What a rig is built from and into; the inventory's blob is kept. */
  #build(inventory: JsonObject): Pick<RigRebuildPredicate, 'template' | 'inventory' | 'builtAt' | 'salt'> {
    const bytes = utf8(JSON.stringify(inventory));
    this.blobs.set(sha256(bytes), bytes);
    return { template: digestOf('template'), inventory: sha256(bytes), builtAt: '2026-11-20T09:00:00Z', salt: NONCE };
  }

  provenance(predicate: JsonObject, options: SignOptions = {}): Digest {
    return this.log(this.#statement(PREDICATE.provenance, predicate, options), { key: 'builder', ...options });
  }

  /** Signs and logs a report; `blobs: 'no'` leaves report and documents out, `forge` edits the predicate after it was made. */
  tests(
    report: Uint8Array,
    change: {
      readonly format?: ReportFormat;
      readonly hardware?: JsonObject;
      /** Documents of the run, or their exact bytes. */
      readonly documents?: Readonly<Partial<Record<RunDocument, JsonObject | Uint8Array>>>;
      readonly suite?: string;
      readonly finishedAt?: string;
      readonly blobs?: 'no';
      readonly forge?: (predicate: JsonObject) => JsonObject;
    } & SignOptions = {},
  ): Digest {
    const { hardware, suite, finishedAt } = change;
    const bytes = hardware === undefined ? undefined : utf8(JSON.stringify(hardware));
    const documents = Object.entries(change.documents ?? {}).map(
      ([kind, value]) => [kind, value instanceof Uint8Array ? value : canonicalJson(value)] as const,
    );
    const blobs = [report, ...(bytes === undefined ? [] : [bytes]), ...documents.map(([, blob]) => blob)];
    if (change.blobs !== 'no') for (const blob of blobs) this.blobs.set(sha256(blob), blob);
    const format = change.format ?? 'junit';
    const parsed = readReport(format, report);
    const signable = parsed.verdict === 'EMPTY' || parsed.verdict === 'UNREADABLE' ? { ...parsed, verdict: 'PASSED' as const } : parsed;
    const made = testResultPredicate({
      report,
      format,
      parsed: signable,
      salt: NONCE,
      ...(bytes === undefined ? {} : { hardware: sha256(bytes) }),
      ...Object.fromEntries(documents.map(([kind, blob]) => [kind, sha256(blob)])),
      ...(suite === undefined ? {} : { suite }),
      ...(finishedAt === undefined ? {} : { finishedAt }),
    });
    const predicate = { ...(change.forge ?? ((same) => same))(made), salt: digestHex(digestOf(String(this.#next))).slice(0, 32) };
    return this.log(
      change.forge === undefined
        ? testResultStatement([{ digest: change.subject ?? RELEASE }], predicate)
        : this.#statement(PREDICATE.testResult, predicate, change),
      { key: 'lab', ...change },
    );
  }

  /** Signs and logs a predicate of any type. */
  sign(predicateType: string, predicate: JsonObject, options: SignOptions = {}): Digest {
    return this.log(this.#statement(predicateType, predicate, options), options);
  }

  /** An approval that has seen everything, or as changed. */
  approve(person: string, change: Partial<ApprovalPredicate> & SignOptions = {}): Digest {
    const { key, subject, witnessed, index, ...fields } = change;
    const predicate: ApprovalPredicate = {
      release: RELEASE,
      stage: 'prod',
      rollout: this.rollout,
      policy: POLICY,
      seen: evidenceToApprove(this.input()),
      checkpoint: { origin: 'lane.example', size: 0, root: `${'A'.repeat(43)}=` },
      verdict: 'approve',
      nonce: digestHex(digestOf(`nonce ${String(this.#next)}`)).slice(0, 32),
      issuedAt: '2026-11-24T09:00:00Z',
      expiresAt: '2026-11-27T09:00:00Z',
      ...fields,
    };
    const options = {
      key: key ?? person,
      ...(subject === undefined ? {} : { subject }),
      ...(witnessed === undefined ? {} : { witnessed }),
      ...(index === undefined ? {} : { index }),
    };
    return this.log(
      subject === undefined ? approvalStatement(predicate) : this.#statement(PREDICATE.approval, { ...predicate }, options),
      options,
    );
  }

  input(): GateInput {
    return {
      release: RELEASE,
      releaseDoc: {
        name: 'api',
        version: '1.0.0',
        components: this.components,
        ...(this.declares === undefined ? {} : { declares: this.declares }),
        ...(this.irreversible ? { irreversible: true as const } : {}),
      },
      ...(this.replaces === undefined ? {} : { replaces: this.replaces }),
      stage: 'prod',
      policy: this.policy,
      policyDigest: POLICY,
      rollout: this.rollout,
      statements: this.statements,
      blob: (digest) => this.blobs.get(digest),
      fleet: this.fleet,
      time: this.time,
    };
  }

  /** The check of one gate, which may be one of the promoter's. */
  check(id: string, more: readonly Gate[] = []): Check {
    const found = evaluateGates(this.input(), [...GATES, ...more]).find((check) => check.id === id);
    if (found === undefined) throw new RangeError(`find check ${id}: expected one, got none`);
    return found;
  }

  #statement(predicateType: string, predicate: JsonObject, options: SignOptions): Uint8Array {
    const shape = anyPredicate.transform((value) => value as JsonObject);
    return writePredicate({ what: predicateType, predicateType, shape }, [{ digest: options.subject ?? RELEASE }], predicate);
  }
}

/** Only what is said, for exact optional properties. */
function signOptions({ subject, witnessed, index }: { [name in keyof SignOptions]?: SignOptions[name] | undefined }): SignOptions {
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(witnessed === undefined ? {} : { witnessed }),
    ...(index === undefined ? {} : { index }),
  };
}
