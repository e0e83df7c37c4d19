/**
 * `policy/<stage>.json`: the rules of one stage, signed by the owners through the top-level `targets` role.
 *
 * A site judges by the policy it holds now; what it trusts about statements (keys, windows, logs, witnesses, gates) is all here.
 */
import { canonicalJson, type Digest, type JsonObject, LIMITS, sha256 } from '@sealane/core';
import { z } from 'zod';
import { EXCEPTION_KINDS, type ExceptionKind } from '../evidence/predicates/exception.js';
import { parseDocument } from './document.js';
import { checkPolicy } from './policy-rules.js';
import { type PolicyScope, scopeShape } from './scope.js';
import {
  base64Shape,
  countShape,
  digestShape,
  floorShape,
  jsonObjectShape,
  keyIdShape,
  labelsShape,
  MAX_LIST,
  nameShape,
  originShape,
  textShape,
  timeShape,
} from './shapes.js';

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

/** A stage's name is also its TUF role's: the four top-level roles are taken. */
const TOP_LEVEL_ROLES: readonly string[] = ['root', 'targets', 'snapshot', 'timestamp'];

const keyIds = z.array(keyIdShape).max(MAX_LIST);
const windowShape = { origin: originShape, fromIndex: countShape, untilIndex: countShape.nullable(), reason: textShape.nullable() };
const urlShape = z.string().min(1).max(512);
const nameOfSigner = z.string().regex(/^[\x21-\x7e]{1,2048}$/, 'expected printable ASCII without spaces');
const authorities = z.array(z.strictObject({ url: urlShape, chain: z.array(base64Shape).min(1).max(8) })).max(16);
const stageName = nameShape.refine((name) => !TOP_LEVEL_ROLES.includes(name), 'expected a name that is no top-level TUF role');

/** Zod's shape of a policy; rules that tie parts together are in `policy-rules.ts`. */
export const policyShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Policy'),
  lane: originShape,
  stage: stageName,
  version: z.int().min(1),
  chain: z
    .array(z.strictObject({ stage: stageName, from: z.array(nameShape).max(MAX_LIST), keys: keyIds.min(1) }))
    .min(1)
    .max(MAX_LIST),
  keys: z.record(keyIdShape, z.strictObject({ spki: base64Shape, ...windowShape })),
  identities: z.record(keyIdShape, z.strictObject({ identity: nameOfSigner, issuer: nameOfSigner, ...windowShape })).exactOptional(),
  authorities: z
    .strictObject({
      certificates: authorities,
      timestamps: authorities,
      ctLogs: z.array(z.strictObject({ url: urlShape, spki: base64Shape })).max(16),
    })
    .exactOptional(),
  people: z.array(z.strictObject({ id: nameShape, keys: keyIds.min(1) })).max(MAX_LIST),
  signers: z.strictObject({
    release: keyIds,
    provenance: keyIds,
    tests: keyIds,
    hardware: keyIds,
    scans: keyIds,
    vex: keyIds,
    sboms: keyIds,
    secrets: keyIds.min(1).exactOptional(),
  }),
  registrar: keyIds,
  logs: z
    .array(
      z.strictObject({
        origin: originShape,
        baseUrl: z.string().max(512),
        vkey: z.string().max(512),
        past: z
          .array(z.strictObject({ vkey: z.string().max(512), belowSize: countShape, endedAt: timeShape }))
          .min(1)
          .max(64)
          .exactOptional(),
      }),
    )
    .min(1)
    .max(16),
  witnesses: z.array(z.string().max(512)).max(64),
  pastWitnesses: z
    .array(z.strictObject({ vkey: z.string().max(512), belowSize: countShape }))
    .min(1)
    .max(64)
    .optional(),
  quorum: z.int().min(1).max(64),
  gates: z.array(z.strictObject({ use: nameShape, with: jsonObjectShape })).max(64),
  groups: z
    .array(z.strictObject({ name: nameShape, match: labelsShape }))
    .min(1)
    .max(MAX_LIST),
  hardware: z.strictObject({
    require: z.array(nameShape).max(64),
    equivalences: z
      .array(z.strictObject({ classes: z.array(digestShape).min(2).max(64), owner: nameShape, expiresAt: timeShape }))
      .max(MAX_LIST),
  }),
  scopes: z.array(scopeShape).min(1).max(MAX_LIST).exactOptional(),
  exceptions: z
    .array(
      z.strictObject({
        kind: z.enum(EXCEPTION_KINDS),
        people: z.array(nameShape).min(1).max(MAX_LIST),
        need: z.int().min(1).max(64),
        maxDays: z.int().min(1).max(366),
        maxUses: z.int().min(1).max(64),
      }),
    )
    .min(1)
    .max(MAX_LIST)
    .exactOptional(),
  floor: floorShape,
  accepts: z.array(z.strictObject({ digest: digestShape, belowIndex: countShape })).max(MAX_LIST),
});

/**
 * Parses and checks a policy.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` another shape, not canonical, or parts that contradict each other
 */
export function parsePolicy(bytes: Uint8Array): Policy {
  const policy: Policy = parseDocument('policy', policyShape, bytes, LIMITS.policyBytes);
  checkPolicy(policy);
  return policy;
}

/** The window of a signer, key or identity, by id; undefined for one that policy does not name. */
export function signerWindow({ keys, identities = {} }: Pick<Policy, 'keys' | 'identities'>, id: string): PolicyWindow | undefined {
  if (Object.hasOwn(keys, id)) return keys[id];
  return Object.hasOwn(identities, id) ? identities[id] : undefined;
}

/**
 * The bytes of a policy: canonical JSON, checked by the parser that sites use, so what is signed can be read.
 *
 * @throws TrustError as `parsePolicy`
 */
export function encodePolicy(policy: Policy): Uint8Array {
  const bytes = canonicalJson(policy);
  parsePolicy(bytes);
  return bytes;
}

/** A policy's digest: SHA-256 of the file's bytes, what approvals and decisions name. */
export function policyDigest(bytes: Uint8Array): Digest {
  return sha256(bytes);
}
