/**
 * `policy/<stage>.json`: the rules of one stage, signed by the owners through the top-level `targets` role.
 *
 * A site judges by the policy it holds now; what it trusts about statements (keys, windows, logs, witnesses, gates) is all here.
 */
import { canonicalJson, type Digest, LIMITS, sha256 } from '@sealane/core';
import { z } from 'zod';
import { EXCEPTION_KINDS } from '../evidence/predicates/exception.js';
import { parseDocument } from './document.js';
import { checkPolicy } from './policy-rules.js';
import type { Policy } from './policy-types.js';
import { scopeShape } from './scope.js';
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
