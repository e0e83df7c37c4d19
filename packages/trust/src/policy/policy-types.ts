/** What the policy of a stage says, as types; its shape and its parser are in `policy.ts`. */
import type { Digest, JsonObject } from '@sealane/core';
import type { ExceptionKind } from '../evidence/predicates/exception.js';
import type { ClassFilter } from './workload-class.js';

/** One stage of the chain up to this one: where releases come from, and the keys that sign its decisions (any one of them). */
export type PolicyStage = {
  readonly stage: string;
  readonly from: readonly string[];
  readonly keys: readonly string[];
};

/** The log indexes in which a signer's statements count: `fromIndex` ≤ index < `untilIndex`. */
export type PolicyWindow = {
  readonly origin: string;
  readonly fromIndex: number;
  readonly untilIndex: number | null;
  readonly reason: string | null;
};

/** A key's public half and its window. */
export type PolicyKey = PolicyWindow & {
  readonly spki: string;
};

/** Who signs keyless, by exact identity and issuer, and its window. Named by its id wherever a key is named by its. */
export type PolicyIdentity = PolicyWindow & {
  readonly identity: string;
  readonly issuer: string;
};

/** An authority: where it is asked (not relied on), and its certificates (DER, base64), its own first, a self-signed root last. */
export type PolicyAuthority = {
  readonly url: string;
  readonly chain: readonly string[];
};

/** Who vouches for identities and for the time of their signatures. With `ctLogs` a certificate must have been logged by one of them. */
export type PolicyAuthorities = {
  readonly certificates: readonly PolicyAuthority[];
  readonly timestamps: readonly PolicyAuthority[];
  readonly ctLogs: readonly { readonly url: string; readonly spki: string }[];
};

/** A person who approves, known by an id and any number of keys and identities. */
export type PolicyPerson = {
  readonly id: string;
  readonly keys: readonly string[];
};

/** Whose signature counts for which kind of evidence, by id of a key or identity. */
export type PolicySigners = {
  readonly release: readonly string[];
  readonly provenance: readonly string[];
  readonly tests: readonly string[];
  readonly hardware: readonly string[];
  /** Scanners, who may say that a vulnerability does not affect a release (VEX), and who lists what is in it (SBOM). */
  readonly scans: readonly string[];
  readonly vex: readonly string[];
  readonly sboms: readonly string[];
  /** Who may seal secrets to sites of the stage; absent: nobody. */
  readonly secrets?: readonly string[];
};

/**
 * A key that a log signed with before: it goes on counting on checkpoints of at most `belowSize` entries, for what was proved under them. `endedAt` is
 * for verifiers that look at times instead.
 */
export type PastLogKey = {
  readonly vkey: string;
  readonly belowSize: number;
  readonly endedAt: string;
};

/** A log: its origin (a host name), that of `baseUrl`, and its verifier key (signed note, Ed25519); `past` is absent while it never had another. */
export type PolicyLog = {
  readonly origin: string;
  readonly baseUrl: string;
  readonly vkey: string;
  readonly past?: readonly PastLogKey[];
};

/** A witness that was replaced: its cosignatures go on counting on checkpoints of at most `belowSize` entries, for what was proved under them. */
export type PastWitness = {
  readonly vkey: string;
  readonly belowSize: number;
};

/** A gate by name and its settings; an unknown name is an error at evaluation, never a pass. */
export type PolicyGate = {
  readonly use: string;
  readonly with: JsonObject;
};

/** The sites that one label selector matches. */
export type PolicyGroup = {
  readonly name: string;
  readonly match: Readonly<Record<string, string>>;
};

/** Hardware classes that an owner declares to be as good as each other, until a date. */
export type HardwareEquivalence = {
  readonly classes: readonly Digest[];
  readonly owner: string;
  readonly expiresAt: string;
};

/** What a hardware comparison must know, and what counts as the same. */
export type PolicyHardware = {
  readonly require: readonly string[];
  readonly equivalences: readonly HardwareEquivalence[];
};

/** Who may let something of a kind through: `need` of these people, for so many days and uses at most. */
export type PolicyExceptionRule = {
  readonly kind: ExceptionKind;
  readonly people: readonly string[];
  readonly need: number;
  readonly maxDays: number;
  readonly maxUses: number;
};

/** The lowest counter a site may go to; decisions logged at or after `index` need approvals logged at or after it. */
export type Floor = {
  readonly counter: number;
  readonly index: number;
};

/** An earlier policy under which decisions and approvals still count when logged below the index. */
export type AcceptedPolicy = {
  readonly digest: Digest;
  readonly belowIndex: number;
};

/**
 * One team's boundary. `releases` are names, or the beginning of names and a `*`; `signers` key ids; `people` ids of people; `repositories` sources
 * that provenance must name, empty for any.
 */
export type PolicyScope = {
  readonly team: string;
  readonly releases: readonly string[];
  readonly classes: ClassFilter;
  readonly signers: readonly string[];
  readonly people: readonly string[];
  readonly repositories: readonly string[];
};

/** The policy of one stage. */
export type Policy = {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'Policy';
  /** Origin of the lane's log. */
  readonly lane: string;
  readonly stage: string;
  readonly version: number;
  /** This stage (last) and all stages upstream of it, each after those it takes releases from. */
  readonly chain: readonly PolicyStage[];
  readonly keys: Readonly<Record<string, PolicyKey>>;
  /** Absent while nobody signs keyless; `authorities` too. */
  readonly identities?: Readonly<Record<string, PolicyIdentity>>;
  readonly authorities?: PolicyAuthorities;
  readonly people: readonly PolicyPerson[];
  readonly signers: PolicySigners;
  readonly registrar: readonly string[];
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly string[];
  /** Absent while no witness was ever replaced. */
  readonly pastWitnesses?: readonly PastWitness[] | undefined;
  readonly quorum: number;
  readonly gates: readonly PolicyGate[];
  readonly groups: readonly PolicyGroup[];
  readonly hardware: PolicyHardware;
  /** Who may sign what, by team and class of workload; absent: every key signs for every release in its role. */
  readonly scopes?: readonly PolicyScope[];
  readonly exceptions?: readonly PolicyExceptionRule[];
  readonly floor: Floor;
  readonly accepts: readonly AcceptedPolicy[];
};
