/**
 * What a gate is: a pure rule over signed statements, blobs and witnessed time, with a closed set of settings.
 *
 * Every gate answers with one `Check`. A gate that finds nothing to read fails; it never passes for want of a counter-example.
 */
import {
  type Check,
  type Digest,
  type ErrorCode,
  type FoundHardware,
  type HardwareDevice,
  type JsonObject,
  type JsonValue,
  type Statement,
  TrustError,
} from '@sealane/core';
import type { z } from 'zod';
import type { ReleaseDeclaration } from '../evidence/predicates/declaration.js';
import type { ComponentKind } from '../evidence/predicates/release.js';
import type { VerifiedStatement, WitnessedTime } from '../evidence/statement-checks.js';
import { fitShape } from '../policy/document.js';
import type { Policy, PolicyGroup } from '../policy/policy-types.js';
import type { Conditions } from '../reports/conditions.js';
import type { Fidelity } from '../reports/fidelity.js';
import type { Rehearsal } from '../reports/rehearsal.js';
import type { ReportFormat } from '../reports/report-format.js';
import type { TestReport } from '../reports/test-report.js';
import type { Topology } from '../reports/topology.js';
import type { SiteVariables } from '../site-variables.js';

/**
 * What is known of one site: what it is made of by its last inventory (null: it never reported) and when that was taken; where known, the topology of its record, the release
 * that it runs (null: none) and the variables that it sets. What is absent is not known.
 */
export interface FleetSite {
  readonly site: string;
  readonly hardware: FoundHardware | null;
  readonly reportedAt: string | null;
  readonly topology?: Topology;
  readonly running?: Digest | null;
  readonly variables?: SiteVariables;
}

/**
 * A statement that verification turned away, so that a gate can name the reason and not just "missing". `statement` is what it claims, for
 * telling which of several it would have been; nobody vouches for it.
 */
export interface RefusedStatement {
  readonly digest: Digest;
  readonly predicateType: string;
  readonly code: ErrorCode;
  readonly why: string;
  readonly statement?: Statement;
}

/**
 * Everything that gates read. `statements` are verified, logged and claimed to be about `release` (each gate checks that again);
 * `rollout` = names of the groups in their order; `time` = the witnessed time at which the decision is judged; `fleet` = the
 * sites of the rollout, at a site itself only that site. Blobs are named by digest, and checked against it here.
 */
export interface GateInput {
  readonly release: Digest;
  readonly releaseDoc: {
    readonly name: string;
    readonly version: string;
    readonly components: readonly {
      readonly name: string;
      readonly kind: ComponentKind;
      readonly digest: Digest;
      readonly oneWay?: true;
    }[];
    readonly irreversible?: true;
    readonly declares?: ReleaseDeclaration;
  };
  readonly stage: string;
  readonly policy: Policy;
  readonly policyDigest: Digest;
  readonly rollout: readonly string[];
  readonly statements: readonly VerifiedStatement[];
  readonly blob: (digest: Digest) => Uint8Array | undefined;
  readonly fleet: readonly FleetSite[];
  readonly time: WitnessedTime;
  readonly groups?: readonly PolicyGroup[];
  /** The releases that this one is to replace by the decisions before it, at a site what it runs; absent: not known. What the fleet runs comes on top. */
  readonly replaces?: readonly Digest[];
  readonly refused?: readonly RefusedStatement[];
  /** The gates as the owners signed them, where `policy` has them otherwise. */
  readonly signedGates?: Policy['gates'];
}

/** Why a statement or blob does not count. */
export interface Problem {
  readonly code: ErrorCode;
  readonly why: string;
}

/** A read value, or why there is none. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

/** The inventory of a run: its devices, the machine first, and the document that they were read from. */
export interface TestedHardware {
  readonly hbom: JsonObject;
  readonly devices: readonly HardwareDevice[];
}

/** The input with its blobs read at most once. */
export interface GateContext extends GateInput {
  /** A raw test report, read as the format that its signer named. Problems: `CONTENT_MISSING`, `CONTENT_DIGEST`; a report that cannot be parsed is UNREADABLE. */
  readonly report: (digest: Digest, format: ReportFormat) => Read<TestReport>;
  /** Any other blob. Problems: `CONTENT_MISSING`, `CONTENT_DIGEST`. */
  readonly bytes: (digest: Digest, what: string) => Read<Uint8Array>;
  /** An inventory. Problems: `CONTENT_MISSING`, `CONTENT_DIGEST`, `EVIDENCE_RESULT` when it is no device BOM. */
  readonly hardware: (digest: Digest) => Read<TestedHardware>;
  /** Documents of a run. Problems as `hardware`. */
  readonly topology: (digest: Digest) => Read<Topology>;
  readonly fidelity: (digest: Digest) => Read<Fidelity>;
  readonly conditions: (digest: Digest) => Read<Conditions>;
  readonly rehearsal: (digest: Digest) => Read<Rehearsal>;
  /** What an approver must have seen: every statement that an evidence gate reads now, and every failure that stands. Sorted. */
  readonly evidenceToSee: () => readonly Digest[];
}

/**
 * A gate by name. `reads` says what its `evidence` lists: `evidence` must have been seen by approvers, `decisions` and `approvals` not.
 * `recheckedAtSite`: sites run it again over what travels with the waybill.
 */
export interface Gate {
  readonly id: string;
  readonly summary: string;
  readonly recheckedAtSite: boolean;
  readonly reads: 'decisions' | 'evidence' | 'approvals';
  readonly settings: readonly string[];
  /** Checks settings. @throws TrustError `CONFIG_INVALID` naming the setting and those that exist */
  readonly check: (settings: JsonValue) => void;
  /** Evaluates. @throws TrustError `CONFIG_INVALID` as `check` */
  readonly run: (context: GateContext, settings: JsonValue) => Check;
}

/** A gate with typed settings; `defineGate` hides the type behind its parser. */
export interface GateDefinition<Shape extends z.ZodObject> {
  readonly id: string;
  readonly summary: string;
  readonly recheckedAtSite: boolean;
  readonly reads: Gate['reads'];
  readonly configSchema: Shape;
  readonly evaluate: (context: GateContext, config: z.output<Shape>) => Check;
}

/** Makes a gate out of its definition: settings are parsed before every evaluation, unknown ones refused. */
export function defineGate<Shape extends z.ZodObject>(definition: GateDefinition<Shape>): Gate {
  const { id, summary, recheckedAtSite, reads, configSchema, evaluate } = definition;
  const settings = Object.keys(configSchema.shape);
  const parse = (value: JsonValue): z.output<Shape> => {
    const parsed = fitShape(configSchema, value);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const place = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
    const known = settings.length === 0 ? 'it has none' : `known: ${settings.join(', ')}`;
    throw new TrustError(
      'CONFIG_INVALID',
      `read the settings of gate ${id}: ${place}${(issue?.message ?? 'another shape').slice(0, 300)} (${known})`,
      { gate: id },
    );
  };
  return {
    id,
    summary,
    recheckedAtSite,
    reads,
    settings,
    check: (value) => void parse(value),
    run: (context, value) => evaluate(context, parse(value)),
  };
}
